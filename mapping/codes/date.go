package codes

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Date reads eight digits YYYYMMDD as a FHIR date. It refuses days that are
// not in the calendar and years outside 1868–2199.
func Date(text string) (iso string, ok bool) {
	if len(text) != 8 || strings.Trim(text, "0123456789") != "" {
		return "", false
	}
	t, err := time.Parse("20060102", text)
	if err != nil || t.Year() < 1868 || t.Year() > 2199 {
		return "", false
	}
	return t.Format(time.DateOnly), true
}

// Clock reads four digits HHMM as a FHIR time. "2400" is the end of the day
// and not a time of FHIR's.
func Clock(text string) (iso string, ok bool) {
	if len(text) != 4 || strings.Trim(text, "0123456789") != "" || text[:2] > "23" || text[2:] > "59" {
		return "", false
	}
	return text[:2] + ":" + text[2:] + ":00", true
}

type era struct {
	name, letter string
	first, last  string // ISO dates, both included
}

// eras of the modern calendar, newest first. Dates before 1873-01-01 are in the
// old lunar calendar and are not converted further than the year.
var eras = [...]era{
	{"令和", "R", "2019-05-01", "9999-12-31"},
	{"平成", "H", "1989-01-08", "2019-04-30"},
	{"昭和", "S", "1926-12-25", "1989-01-07"},
	{"大正", "T", "1912-07-30", "1926-12-24"},
	{"明治", "M", "1868-01-25", "1912-07-29"},
}

// Wareki reads a date of the Japanese calendar, "昭和18年3月5日", "S18.3.5",
// "令和元年5月", as a FHIR date that is as precise as the text: unknown parts
// (不詳, 不明, 頃) and what follows them are left out. ok is false for a text that
// is no date; an empty iso with ok says the date is unknown altogether.
// A month or day outside its era still counts where the year is shared by two.
func Wareki(text string) (iso string, ok bool) {
	s := normal(text)
	if s == "" || s == "不詳" || s == "不明" {
		return "", s != ""
	}
	for _, e := range eras {
		rest, found := strings.CutPrefix(s, e.name)
		if !found {
			rest, found = strings.CutPrefix(s, e.letter)
		}
		if found {
			return e.date(rest)
		}
	}
	return western(s)
}

func (e era) date(rest string) (string, bool) {
	parts, ok := split(rest)
	if !ok || parts[0] < 1 {
		return "", false
	}
	first, _ := strconv.Atoi(e.first[:4])
	iso, ok := join(first+parts[0]-1, parts[1:])
	if !ok || iso[:4] > e.last[:4] {
		return "", false
	}
	if len(iso) == len(e.first) && (iso < e.first || iso > e.last) {
		return "", false
	}
	return iso, true
}

func western(s string) (string, bool) {
	parts, ok := split(strings.TrimPrefix(s, "西暦"))
	if !ok || parts[0] < 1868 || parts[0] > 2199 {
		return "", false
	}
	return join(parts[0], parts[1:])
}

// split cuts "18年3月5日" or "18.3.5" into its numbers, stopping at the first
// part that is unknown.
func split(s string) ([]int, bool) {
	var parts []int
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("年月日./-", r) }) {
		f = strings.TrimSpace(f)
		if f == "元" {
			f = "1"
		}
		if f == "不詳" || f == "不明" || f == "頃" || f == "ごろ" || f == "" || f == "00" || f == "0" {
			break
		}
		n, err := strconv.Atoi(f)
		if err != nil || n < 0 {
			return nil, false
		}
		parts = append(parts, n)
	}
	return parts, len(parts) > 0 && len(parts) <= 3
}

func join(year int, rest []int) (string, bool) {
	iso := fmt.Sprintf("%04d", year)
	for _, n := range rest {
		iso += fmt.Sprintf("-%02d", n)
	}
	layout := "2006-01-02"[:len("2006-01-02")-3*(2-len(rest))]
	if _, err := time.Parse(layout, iso); err != nil {
		return "", false
	}
	return iso, true
}

var halfWidth = strings.NewReplacer("０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9",
	"．", ".", "／", "/", "－", "-", "Ｒ", "R", "Ｈ", "H", "Ｓ", "S", "Ｔ", "T", "Ｍ", "M", "　", "", " ", "", "頃", "", "ごろ", "")

func normal(s string) string { return halfWidth.Replace(strings.TrimSpace(s)) }

// ToWareki writes a FHIR date in the Japanese calendar, "令和8年4月1日", and
// what it cannot convert as it is.
func ToWareki(iso string) string {
	if len(iso) != len(time.DateOnly) {
		return iso
	}
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	for _, e := range eras {
		if iso >= e.first {
			first, _ := strconv.Atoi(e.first[:4])
			year := strconv.Itoa(t.Year() - first + 1)
			if year == "1" {
				year = "元"
			}
			return fmt.Sprintf("%s%s年%d月%d日", e.name, year, int(t.Month()), t.Day())
		}
	}
	return iso
}
