package form

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
)

// verdict is what a rule says of a value. The zero verdict says it is good.
type verdict struct {
	id       string
	severity fhir.Severity
	message  fhir.Message
}

// wrong is the verdict on a value that costs its row.
func wrong(id, en, ja string, args ...any) verdict {
	return verdict{id, fhir.Error, fhir.Messagef(en, ja, args...)}
}

// doubtful is the verdict on a value that is taken all the same.
func doubtful(id, en, ja string, args ...any) verdict {
	return verdict{id, fhir.Warning, fhir.Messagef(en, ja, args...)}
}

// unless gives a verdict where a value is not good.
func unless(good bool, v verdict) verdict {
	if good {
		return verdict{}
	}
	return v
}

// check applies the rule of a column to a value.
func (c *Column) check(value string) verdict {
	if value == "" {
		return unless(!c.Required, wrong("value-missing", "the value is required but empty", "必須の項目ですが、空欄です。"))
	}
	if rule := rules[c.Kind]; rule != nil {
		if v := rule(c, value); v.id != "" {
			return v
		}
	}
	if c.Max == 0 || len(value) <= c.Max || utf8.RuneCountInString(value) <= c.Max {
		return verdict{}
	}
	return doubtful("value-long", "the value is longer than the %d characters of the form", "様式の桁数（%d文字）を超えています。", c.Max)
}

// rules are the rules of each kind but Free.
var rules = map[Kind]func(c *Column, v string) verdict{
	Day: func(_ *Column, v string) verdict {
		_, ok := codes.Date(v)
		return unless(ok, notADay())
	},
	DayOrZero: func(_ *Column, v string) verdict {
		_, ok := codes.Date(v)
		return unless(ok || v == "00000000", notADay())
	},
	OldDay: func(_ *Column, v string) verdict {
		_, ok := codes.Wareki(v)
		return unless(ok, doubtful("date-unreadable", "the date cannot be read and is kept as text only", "日付として読み取れないため、文字としてのみ保存します。"))
	},
	Month: func(_ *Column, v string) verdict {
		_, ok := codes.Date(v + "01")
		return unless(ok || v == "000000", wrong("date-invalid", "this is not a month; write six digits YYYYMM", "年月ではありません。YYYYMM の数字6桁で入力してください。"))
	},
	Clock: func(_ *Column, v string) verdict {
		_, ok := codes.Clock(v)
		return unless(ok || v == "2400", wrong("time-invalid", "this is not a time of day; write four digits HHMM", "時刻ではありません。HHMM の数字4桁で入力してください。"))
	},
	Integer: func(_ *Column, v string) verdict {
		_, err := strconv.ParseUint(v, 10, 31)
		return unless(err == nil, wrong("number-invalid", "this is not a whole number; write digits only", "整数ではありません。半角数字で入力してください。"))
	},
	Decimal: func(_ *Column, v string) verdict {
		return unless(decimal(v), wrong("number-invalid", "this is not a number; write digits and at most one point", "数値ではありません。半角の数字と小数点で入力してください。"))
	},
	Code: func(c *Column, v string) verdict {
		if _, ok := c.Codes().Lookup(v); ok {
			return verdict{}
		}
		return wrong("code-unknown", "this code is not one of the form's: %s", "様式にないコードです。使えるコード：%s", c.Codes().Allowed())
	},
	Bits: func(c *Column, v string) verdict {
		top := byte('1')
		if c.Degrees != nil {
			top = '0' + byte(len(c.Degrees().Concepts)-1)
		}
		for i := range len(v) {
			if v[i] < '0' || v[i] > top {
				return wrong("code-unknown", "each of the digits must be between 0 and %c", "各桁は 0 から %c の数字でなければなりません。", top)
			}
		}
		if len(v) != len(c.Items) {
			return wrong("code-unknown", "the value has %d digits but the form has %d boxes", "値は %d 桁ですが、様式のチェック欄は %d 個です。", len(v), len(c.Items))
		}
		return verdict{}
	},
	InsurerNo: func(_ *Column, v string) verdict {
		return number(codes.CheckInsurer(v), fhir.Error, 6, "6 digits", "数字6桁")
	},
	InsuredNo: func(_ *Column, v string) verdict {
		return number(codes.CheckInsured(v), fhir.Error, 10, "10 digits, or H and 9 digits", "数字10桁、または H と数字9桁")
	},
	OfficeNo: func(_ *Column, v string) verdict {
		return number(codes.CheckOffice(v), fhir.Warning, 10, "10 digits", "数字10桁")
	},
}

func notADay() verdict {
	return wrong("date-invalid", "this is not a day of the calendar; write eight digits YYYYMMDD", "暦にない日付です。YYYYMMDD の数字8桁で入力してください。")
}

func number(fault codes.NumberFault, checkDigit fhir.Severity, length int, en, ja string) verdict {
	switch fault {
	case codes.BadLength:
		return wrong("number-length", "the number must have %[1]s; leading zeros may have been lost", "番号は%[2]sです。先頭の 0 が失われていないか確認してください。", en, ja)
	case codes.BadCharacter:
		return wrong("number-invalid", "the number must have %[1]s, in half-width characters", "番号は%[2]s（半角）です。", en, ja)
	case codes.BadCheckDigit:
		return verdict{"check-digit", checkDigit, fhir.Messagef(
			"the check digit (the last of %d digits) is wrong: a digit was mistyped", "検証番号（%d桁目）が合いません。番号の入力誤りがないか確認してください。", length)}
	}
	return verdict{}
}

// decimal reports whether v is a decimal of FHIR's without sign and exponent.
// https://hl7.org/fhir/R4/datatypes.html#decimal
func decimal(v string) bool {
	whole, fraction, point := strings.Cut(v, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction)) && len(v) <= 18
}

// DecimalValue returns a number as FHIR writes it: without zeros in front.
func DecimalValue(v string) string {
	v = strings.TrimLeft(v, "0")
	if v == "" || v[0] == '.' {
		v = "0" + v
	}
	return v
}
