package codes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

func TestDate(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a day", "20260401", "2026-04-01"},
		{"leap day", "20240229", "2024-02-29"},
		{"no leap day", "20230229", ""},
		{"day 31 of a short month", "20260431", ""},
		{"zeros", "00000000", ""},
		{"too short", "2026041", ""},
		{"letters", "2026O401", ""},
		{"before Meiji", "18000101", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := codes.Date(tt.in); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestWareki(t *testing.T) {
	tests := []struct {
		in, want string
		ok       bool
	}{
		{"昭和18年03月05日", "1943-03-05", true},
		{"昭和18年3月", "1943-03", true},
		{"平成18年", "2006", true},
		{"平成18年頃", "2006", true},
		{"令和元年5月1日", "2019-05-01", true},
		{"R8.4.1", "2026-04-01", true},
		{"Ｓ１８．３．５", "1943-03-05", true},
		{"大正15年不詳月", "1926", true},
		{"大正15年不詳", "1926", true},
		{"昭和64年1月7日", "1989-01-07", true},
		{"昭和64年1月8日", "", false},
		{"平成元年1月7日", "", false},
		{"平成32年1月1日", "", false},
		{"令和8年2月30日", "", false},
		{"明治33年4月1日", "1900-04-01", true},
		{"2026年4月", "2026-04", true},
		{"不詳", "", true},
		{"", "", false},
		{"春ごろ", "", false},
		{"昭和年", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			if got, ok := codes.Wareki(tt.in); got != tt.want || ok != tt.ok {
				t.Errorf("got %q %v, want %q %v", got, ok, tt.want, tt.ok)
			}
		})
	}
	for iso, want := range map[string]string{
		"2026-04-01": "令和8年4月1日", "2019-05-01": "令和元年5月1日", "2019-04-30": "平成31年4月30日", "1926-12-25": "昭和元年12月25日", "1943-03": "1943-03",
	} {
		if got := codes.ToWareki(iso); got != want {
			t.Errorf("ToWareki(%s) = %s, want %s", iso, got, want)
		}
	}
}

// Every day there and back.
func TestWarekiRoundTrip(t *testing.T) {
	for _, iso := range []string{"1912-07-29", "1912-07-30", "1926-12-24", "1926-12-25", "1989-01-07", "1989-01-08", "2019-04-30", "2019-05-01", "2026-11-22"} {
		if got, ok := codes.Wareki(codes.ToWareki(iso)); got != iso || !ok {
			t.Errorf("%s became %s (%s)", iso, got, codes.ToWareki(iso))
		}
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		name  string
		check func(string) codes.NumberFault
		in    string
		want  codes.NumberFault
	}{
		{"千代田区", codes.CheckInsurer, "131011", codes.NumberGood},
		{"新宿区", codes.CheckInsurer, "131045", codes.NumberGood},
		{"wrong check digit", codes.CheckInsurer, "131012", codes.BadCheckDigit},
		{"short", codes.CheckInsurer, "13101", codes.BadLength},
		{"letters", codes.CheckInsurer, "13101O", codes.BadCharacter},
		{"full width", codes.CheckInsurer, "１３１０１１", codes.BadCharacter},
		{"full width insured", codes.CheckInsured, "Ｈ０００００００１", codes.BadCharacter},
		{"nothing", codes.CheckOffice, "", codes.BadLength},
		{"insured", codes.CheckInsured, "0000123456", codes.NumberGood},
		{"public assistance", codes.CheckInsured, "H000000001", codes.NumberGood},
		{"insured with another letter", codes.CheckInsured, "K000000001", codes.BadCharacter},
		{"insured too long", codes.CheckInsured, "00001234567", codes.BadLength},
		{"medical example of the insurers' rule", codes.CheckOffice, "0033120015", codes.NumberGood},
		{"example of the care-plan standard", codes.CheckOffice, "0300000100", codes.BadCheckDigit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.check(tt.in); got != tt.want {
				t.Errorf("%s: got %d, want %d", tt.in, got, tt.want)
			}
		})
	}
}

func TestTables(t *testing.T) {
	for _, table := range codes.Tables() {
		seen := map[string]bool{}
		if !strings.HasPrefix(table.URL, care.Canonical) || table.ID == "" || table.TitleJa == "" {
			t.Errorf("%s: no canonical or title", table.Name)
		}
		for _, c := range table.Concepts {
			if seen[c.Code] || c.Ja == "" || c.En == "" {
				t.Errorf("%s: %q twice or without words", table.Name, c.Code)
			}
			seen[c.Code] = true
		}
	}
	if got := len(codes.Forms().Concepts); got != len(care.Forms()) {
		t.Errorf("%d forms in the table, %d in the guide", got, len(care.Forms()))
	}
	for i, form := range care.Forms() {
		if codes.Forms().Concepts[i].Code != form {
			t.Errorf("form %d is %s, want %s", i, codes.Forms().Concepts[i].Code, form)
		}
	}
}

func TestEncodings(t *testing.T) {
	tests := []struct {
		name     string
		encoding *codes.Encoding
		written  string
		want     string
	}{
		{"LIFE B1", codes.ElderlyRankNumbers(), "6", "B1"},
		{"plan B1", codes.ElderlyRankPlan(), "31", "B1"},
		{"LIFE Ⅲa", codes.DementiaRankNumbers(), "5", "IIIa"},
		{"plan Ⅲa", codes.DementiaRankPlan(), "05", "IIIa"},
		{"unknown", codes.DementiaRankPlan(), "5", ""},
		{"care level", codes.Same(codes.CareLevels()), "21", "21"},
		{"care level not of this form", codes.Only(codes.CareLevels(), "12", "13"), "21", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.encoding.Lookup(tt.written); got.Code != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q %v, want %q", got.Code, ok, tt.want)
			}
		})
	}
	if got, want := codes.Only(codes.CareLevels(), "12", "21").Allowed(), "12 要支援１, 21 要介護１"; got != want {
		t.Errorf("Allowed: got %s, want %s", got, want)
	}
}

// FuzzWareki checks that whatever is taken for a date is one, no more precise
// than the text, and reads the same from our own writing of it.
func FuzzWareki(f *testing.F) {
	for _, s := range []string{"昭和18年3月5日", "S18.3.5", "令和元年5月", "平成18年頃", "不詳", "2026-04-01", "大正15年不詳月", "R99.13.40"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		iso, ok := codes.Wareki(text)
		if iso == "" {
			return
		}
		if _, err := time.Parse("2006-01-02"[:len(iso)], iso); err != nil || !ok {
			t.Fatalf("%q became %q (%v)", text, iso, err)
		}
		if again, _ := codes.Wareki(codes.ToWareki(iso)); len(iso) == 10 && again != iso && iso >= "1868-01-25" {
			t.Fatalf("%q became %q, then %q", text, iso, again)
		}
	})
}
