package samples_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/mapping/forms/careplan"
	"github.com/kaigofhir/kaigofhir/mapping/forms/insuredcard"
	"github.com/kaigofhir/kaigofhir/mapping/forms/life"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
)

//go:generate go test . -run TestFiles -update

var update = flag.Bool("update", false, "write the sample files anew")

// values are the values of one row by column ID.
type values map[string]string

// rows writes rows of a sheet in the order of its columns, without a header.
func rows(sheet *form.Sheet, list ...values) string {
	var b strings.Builder
	for _, v := range list {
		cells := make([]string, len(sheet.Columns))
		for i, c := range sheet.Columns {
			cells[i] = v[c.ID]
			delete(v, c.ID)
		}
		if len(v) > 0 {
			panic("no such column in " + sheet.Name + ": " + strings.Join(keys(v), ", "))
		}
		b.WriteString(line(cells))
	}
	return b.String()
}

func keys(v values) (list []string) {
	for k := range v {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// named writes the form's own names, then the rows.
func named(sheet *form.Sheet, list ...values) string {
	var names []string
	for _, c := range sheet.Columns {
		names = append(names, c.Name)
	}
	return line(names) + rows(sheet, list...)
}

// line joins cells, quoting those that must be and those with Japanese text,
// as care software does.
func line(cells []string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = c
		if strings.ContainsFunc(c, func(r rune) bool { return r > 0x7F || strings.ContainsRune(",\"\n", r) }) {
			out[i] = `"` + strings.ReplaceAll(strings.ReplaceAll(c, `"`, `""`), "\n", "\r\n") + `"`
		}
	}
	return strings.Join(out, ",") + "\r\n"
}

func sjis(text string) []byte {
	b, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(text))
	if err != nil {
		panic(err)
	}
	return b
}

// TestFiles checks that the files are what the rows here say.
func TestFiles(t *testing.T) {
	want := map[string][]byte{}
	good(want)
	bad(want)
	if *update {
		if err := os.RemoveAll("files"); err != nil {
			t.Fatal(err)
		}
		for name, data := range want {
			name = filepath.Join("files", filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for name, data := range want {
		have, err := os.ReadFile(filepath.Join("files", filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(have, data) {
			t.Errorf("%s is not up to date (%v); run go generate ./mapping/samples", name, err)
		}
	}
	err := filepath.WalkDir("files", func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel("files", name)
			if _, known := want[filepath.ToSlash(rel)]; !known {
				t.Errorf("%s is made by no rows here", name)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// with returns a copy of v with other values.
func (v values) with(changes values) values {
	out := values{}
	for k, x := range v {
		out[k] = x
	}
	for k, x := range changes {
		out[k] = x
	}
	return out
}

func good(files map[string][]byte) {
	files["insurer/介護保険被保険者証_479998_20260401090000.csv"] = []byte(named(insuredcard.Sheet(), cards()...))
	files["day-care/SERVICE_USER_INFO_20260501.csv"] = []byte(lifeFile("SERVICE_USER_INFO", life.User(), users()...))
	files["day-care/FORM_0000_2021_20260501.csv"] = []byte(lifeFile("FORM_0000_2021", life.Promotion(), promotions()...))
	for _, to := range []struct {
		office  samples.Organization
		service string
		people  []string
	}{{dayCare, "15", []string{hanako.Insured, fumi.Insured}}, {homeHelp, "11", []string{hanako.Insured, taro.Insured}}} {
		tail := manager.Number + "_43_" + to.office.Number + "_" + to.service + "_20260405093000.CSV"
		files["care-manager/UPHOSOKU_000000_"+tail] = sjis(rows(careplan.Supplement(), about(to.people, supplements())...))
		files["care-manager/UP1KYO_"+tail] = sjis(rows(careplan.First(), about(to.people, firstSheets())...))
		files["care-manager/UP2KYO_"+tail] = sjis(rows(careplan.Second(), about(to.people, secondSheets())...))
		files["care-manager/UP3KYO_"+tail] = sjis(rows(careplan.Third(), about(to.people, thirdSheets())...))
	}
	files["hospital/"+hospital.Number+"_2026041001.csv"] = sjis(rows(opinion.Sheet(), opinions()...))
}

// about keeps the rows about some people.
func about(insured []string, list []values) (kept []values) {
	for _, v := range list {
		if slices.Contains(insured, v["insured"]) {
			kept = append(kept, v)
		}
	}
	return kept
}

// lifeFile writes the kind of data, the item ids, then the rows, every value in
// quotation marks. The version column is of newer kinds only.
func lifeFile(kind string, sheet *form.Sheet, list ...values) string {
	var b strings.Builder
	b.WriteString(kind + "\r\n")
	var ids []string
	for _, c := range sheet.Columns {
		if c.ID != "version" || kind == "SERVICE_USER_INFO" {
			ids = append(ids, c.ID)
		}
	}
	b.WriteString(strings.Join(ids, ",") + "\r\n")
	for _, v := range list {
		cells := make([]string, len(ids))
		for i, id := range ids {
			cells[i] = `"` + strings.ReplaceAll(v[id], `"`, `""`) + `"`
			delete(v, id)
		}
		if len(v) > 0 {
			panic("no such item in " + kind + ": " + strings.Join(keys(v), ", "))
		}
		b.WriteString(strings.Join(cells, ",") + "\r\n")
	}
	return b.String()
}
