package validate

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// maxString is the largest string in bytes.
// https://hl7.org/fhir/R4/datatypes.html#string
const maxString = 1024 * 1024

// primitive checks the format of a primitive value.
// https://hl7.org/fhir/R4/datatypes.html#primitive
func (r *run) primitive(e *fhir.Element) {
	if e.Kind == fhir.None {
		return
	}
	if e.Value == "" {
		r.fail(fhir.Invalid, "primitive-empty", fhir.Messagef("The value is empty", "値が空です"))
		return
	}
	if !isFormatted(e.Type.Name, e.Value) {
		form := forms[e.Type.Name]
		r.fail(fhir.Value, "primitive-format", fhir.Message{
			En: "The value is not a valid " + e.Type.Name + ": " + form.En,
			Ja: "値が " + e.Type.Name + " として正しくありません: " + form.Ja,
		})
		return
	}
	if e.Def != nil && e.Def.MaxLength > 0 && utf8.RuneCountInString(e.Value) > e.Def.MaxLength {
		r.fail(fhir.TooLong, "max-length", fhir.Messagef(
			"The value is longer than %d characters", "値が %d 文字を超えています", e.Def.MaxLength))
	}
	r.text(e)
}

// text checks what only strings have: blanks at the ends, markup.
func (r *run) text(e *fhir.Element) {
	switch e.Type.Name {
	case "string", "markdown", "code":
	default:
		return
	}
	if e.Type.Name == "string" && strings.TrimSpace(e.Value) != e.Value {
		r.warn(fhir.Value, "string-blanks", fhir.Messagef(
			"The value begins or ends with blanks", "値の先頭または末尾に空白があります"))
	}
	if r.v.cfg.RefuseMarkup && e.Type.Name != "markdown" && hasMarkup(e.Value) {
		r.fail(fhir.Security, "string-markup", fhir.Messagef(
			"The value looks like HTML", "値に HTML タグと思われる文字列があります"))
	}
}

// hasMarkup reports whether a string holds something like an HTML tag.
func hasMarkup(s string) bool {
	for i := strings.IndexByte(s, '<'); i >= 0 && i+1 < len(s); {
		c := s[i+1]
		if c == '/' || c == '!' || c == '?' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			return strings.IndexByte(s[i:], '>') > 0
		}
		next := strings.IndexByte(s[i+1:], '<')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// forms say what a value of a primitive type looks like.
var forms = map[string]fhir.Message{
	"boolean":      {En: "true or false", Ja: "true または false"},
	"integer":      {En: "a whole number of 32 bits", Ja: "32 ビットの整数"},
	"unsignedInt":  {En: "a whole number from 0", Ja: "0 以上の整数"},
	"positiveInt":  {En: "a whole number from 1", Ja: "1 以上の整数"},
	"decimal":      {En: "a decimal number", Ja: "十進数"},
	"date":         {En: "YYYY, YYYY-MM or YYYY-MM-DD of the calendar", Ja: "暦にある YYYY、YYYY-MM、YYYY-MM-DD のいずれか"},
	"dateTime":     {En: "a date of the calendar, or a date with time and time zone", Ja: "暦にある日付、または時刻とタイムゾーンを伴う日付"},
	"instant":      {En: "a date with time to the second and time zone", Ja: "秒までの時刻とタイムゾーンを伴う日付"},
	"time":         {En: "hh:mm:ss", Ja: "hh:mm:ss"},
	"base64Binary": {En: "base64", Ja: "base64"},
	"id":           {En: "1 to 64 letters, digits, - and .", Ja: "英数字、-、. の 1〜64 文字"},
	"code":         {En: "no blanks but single ones inside", Ja: "空白は語の間に一つずつだけ"},
	"uri":          {En: "no blanks", Ja: "空白なし"},
	"url":          {En: "no blanks", Ja: "空白なし"},
	"canonical":    {En: "no blanks", Ja: "空白なし"},
	"oid":          {En: "urn:oid: and digits with points", Ja: "urn:oid: と、点で区切った数字"},
	"uuid":         {En: "urn:uuid: and a UUID in small letters", Ja: "urn:uuid: と小文字の UUID"},
	"string":       {En: "printable characters, 1 MB at most", Ja: "印字できる文字、1 MB まで"},
	"markdown":     {En: "printable characters, 1 MB at most", Ja: "印字できる文字、1 MB まで"},
}

// isFormatted tells whether a value has the lexical form of a primitive type.
func isFormatted(typeName, v string) bool {
	switch typeName {
	case "boolean":
		return v == "true" || v == "false"
	case "integer":
		return isInteger(v, -1<<31)
	case "unsignedInt":
		return isInteger(v, 0)
	case "positiveInt":
		return isInteger(v, 1)
	case "decimal":
		return isDecimal(v)
	case "date":
		return isDate(v)
	case "dateTime":
		return isDateTime(v)
	case "instant":
		return len(v) > 10 && isDateTime(v)
	case "time":
		return isTime(v)
	case "base64Binary":
		return isBase64(v)
	case "id":
		return isID(v)
	case "code":
		return isCode(v)
	case "uri", "url", "canonical":
		return !strings.ContainsAny(v, " \t\r\n")
	case "oid":
		return isOID(v)
	case "uuid":
		return isUUID(v) && v == strings.ToLower(v)
	case "string", "markdown":
		return isString(v)
	}
	return true
}

func isInteger(v string, least int64) bool {
	digits := strings.TrimLeft(v, "+-")
	if len(v)-len(digits) > 1 || digits == "" || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	n, err := strconv.ParseInt(v, 10, 32)
	return err == nil && n >= least
}

// isDecimal accepts -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func isDecimal(v string) bool {
	v = strings.TrimPrefix(v, "-")
	whole, v := digits(v)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if rest, ok := strings.CutPrefix(v, "."); ok {
		var fraction string
		if fraction, v = digits(rest); fraction == "" {
			return false
		}
	}
	if v != "" && (v[0] == 'e' || v[0] == 'E') {
		v = v[1:]
		if v != "" && (v[0] == '+' || v[0] == '-') {
			v = v[1:]
		}
		var exponent string
		if exponent, v = digits(v); exponent == "" {
			return false
		}
	}
	return v == ""
}

func digits(s string) (head, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

func isBase64(v string) bool {
	if strings.ContainsAny(v, " \t\r\n") {
		v = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(v)
	}
	if v == "" || len(v)%4 != 0 {
		return false
	}
	var buf [768]byte
	for len(v) > 0 {
		n := min(len(v), 1024)
		if _, err := base64.StdEncoding.Decode(buf[:], []byte(v[:n])); err != nil || n < len(v) && v[n-1] == '=' {
			return false
		}
		v = v[n:]
	}
	return true
}

func isID(v string) bool {
	if len(v) > 64 {
		return false
	}
	for i := 0; i < len(v); i++ {
		if c := v[i]; !isAlphanumeric(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isCode(v string) bool {
	blank := true
	for _, c := range v {
		space := c == ' ' || c == '\t' || c == '\n' || c == '\r'
		if space && blank || space && c != ' ' {
			return false
		}
		blank = space
	}
	return !blank
}

func isOID(v string) bool {
	v, ok := strings.CutPrefix(v, "urn:oid:")
	if !ok || v == "" || v[0] > '2' {
		return false
	}
	parts := strings.Split(v, ".")
	for i, p := range parts {
		head, rest := digits(p)
		if head == "" || rest != "" || len(head) > 1 && head[0] == '0' || i == 0 && len(head) > 1 {
			return false
		}
	}
	return len(parts) > 1
}

func isUUID(v string) bool {
	v, ok := strings.CutPrefix(v, "urn:uuid:")
	if !ok || len(v) != 36 {
		return false
	}
	for i := 0; i < len(v); i++ {
		c := v[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

func isString(v string) bool {
	if len(v) > maxString {
		return false
	}
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return strings.TrimSpace(v) != ""
}
