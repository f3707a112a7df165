package mapping_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
)

var update = flag.Bool("update", false, "write want.json and problems.txt of every case anew")

// options count instead of drawing ids, so that results repeat.
func options() mapping.Options {
	n := 0
	return mapping.Options{
		Now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC),
		NewID: func() string {
			n++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		},
	}
}

// TestCases maps the files of every folder in testdata/cases/NAME/in and
// compares with want.json (the transaction) and problems.txt (what people are
// told, in both languages). Add a case by adding a folder and running
// go test ./mapping -run TestCases -update.
func TestCases(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			res := mapping.Map(load(t, filepath.Join(folder, "in")), options())
			compare(t, filepath.Join(folder, "want.json"), indented(res.Bundle))
			compare(t, filepath.Join(folder, "problems.txt"), told(res))
		})
	}
}

func load(t *testing.T, folder string) []mapping.File {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var files []mapping.File
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, mapping.File{Name: e.Name(), Data: data})
	}
	return files
}

func indented(bundle *fhir.Element) []byte {
	if bundle == nil {
		return []byte("null\n")
	}
	return append(fhirjson.AppendIndent(nil, bundle), '\n')
}

// told is everything a person learns of a result but the transaction.
func told(res mapping.Result) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "forms %s\nauthors %v\nrefused %d\n", strings.Join(res.Forms, " "), res.Authors, res.Refused)
	for _, p := range res.Problems {
		fmt.Fprintf(&b, "\n%s %s\n%s\n%s\n", p.Severity, p.ID, p.Text(fhir.Japanese), p.Text(fhir.English))
	}
	return b.Bytes()
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(name), d)
	}
}

// TestSamples maps everything each organisation sends: nothing is refused, the
// author is the sender, and the transaction is FHIR to the letter.
func TestSamples(t *testing.T) {
	for _, o := range samples.Organizations() {
		files := samples.Of(o)
		if len(files) == 0 {
			continue
		}
		t.Run(o.Key, func(t *testing.T) {
			res := mapping.Map(files, options())
			for _, p := range res.Problems {
				t.Errorf("%s %s", p.Severity, p)
			}
			if d := cmp.Diff([]mapping.Identifier{{System: o.System, Value: o.Number}}, res.Authors); d != "" {
				t.Errorf("authors (-want +got):\n%s", d)
			}
			roundTrip(t, res.Bundle)
		})
	}
}

// roundTrip decodes strictly what was written and compares.
func roundTrip(t *testing.T, bundle *fhir.Element) {
	t.Helper()
	written := fhirjson.Append(nil, bundle)
	again, err := fhirjson.Decode(written, fhirjson.Options{})
	if err != nil {
		t.Fatalf("does not decode: %v", err)
	}
	if !bytes.Equal(written, fhirjson.Append(nil, again)) {
		t.Error("changes when it is read and written")
	}
}

// TestBadSamples checks that every defect is named at its place, and that what
// depends on a refused row is not mapped.
func TestBadSamples(t *testing.T) {
	tests := []struct {
		name         string
		id           string
		line, column int
		field        string
		refused      int
		mapped       []string // identifiers of people that are in the transaction all the same
	}{
		{"wrong-encoding", "file-encoding", 1, 0, "", 1, nil},
		{"broken-row", "row-columns", 5, 0, "", 1, []string{"0000000101", "H000000103"}},
		{"broken-row-of-plan", "quote-misplaced", 2, 14, "サービス内容", 5, []string{"H000000103"}},
		{"broken-character", "character-broken", 4, 24, "総合的な援助の方針", 1, []string{"H000000103"}},
		{"unknown-code", "code-unknown", 3, 12, "要介護状態区分", 1, []string{"0000000101", "H000000103"}},
		{"unknown-code-of-life", "code-unknown", 4, 20, "椅子とベッド間の移乗", 1, []string{"0000000101", "0000000102", "H000000103"}},
		{"wrong-check-digit", "check-digit", 2, 1, "保険者番号", 1, []string{"0000000102", "H000000103"}},
		{"wrong-sender", "office-mismatch", 1, 13, "居宅介護支援事業者コード", 2, nil},
		{"truncated", "file-truncated", 6, 33, "", 1, []string{"0000000101", "0000000102"}},
		{"truncated-plan", "file-truncated", 4, 4, "", 6, nil},
		{"no-form", "file-unknown", 0, 0, "", 1, nil},
	}
	bad := samples.Bad()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, ok := bad[tt.name]
			if !ok {
				t.Fatal("no such sample")
			}
			delete(bad, tt.name)
			res := mapping.Map(files, options())
			if !said(res.Problems, tt.id, tt.line, tt.column, tt.field) {
				t.Errorf("%s at line %d, column %d is not reported, but:\n%s", tt.id, tt.line, tt.column, told(res))
			}
			if res.Refused != tt.refused {
				t.Errorf("%d rows refused, want %d:\n%s", res.Refused, tt.refused, told(res))
			}
			if d := cmp.Diff(tt.mapped, people(res.Bundle)); d != "" {
				t.Errorf("people (-want +got):\n%s", d)
			}
		})
	}
	for name := range bad {
		t.Errorf("sample %s is not checked", name)
	}
}

func said(problems []mapping.Problem, id string, line, column int, field string) bool {
	for _, p := range problems {
		if p.ID == id && p.Line == line && p.Column == column && p.Field == field && p.Severity == fhir.Error && p.Message.Ja != "" && p.Message.En != "" {
			return true
		}
	}
	return false
}

// people lists the insured numbers of those records in a transaction are about.
func people(bundle *fhir.Element) []string {
	var list []string
	for e := range bundle.All("entry") {
		if r := e.Get("resource"); r.ResourceType() == "Patient" {
			_, number, _ := strings.Cut(r.Text("identifier", "value"), ":")
			list = append(list, number)
		}
	}
	return list
}

// TestNoPersonalValues checks that nothing people are told repeats a value of
// the files: every value is replaced by a mark, which no message may contain.
func TestNoPersonalValues(t *testing.T) {
	const mark = "ZZSECRETZZ"
	for _, o := range samples.Organizations() {
		for _, f := range samples.Of(o) {
			lines := strings.SplitAfter(string(f.Data), "\r\n")
			for i, line := range lines {
				if i > 1 { // the first two lines may hold the names of columns
					lines[i] = strings.ReplaceAll(line, ",", mark+",")
				}
			}
			f.Data = []byte(strings.Join(lines, ""))
			for _, p := range mapping.Map([]mapping.File{f}, options()).Problems {
				if strings.Contains(p.Text(fhir.English)+p.Text(fhir.Japanese), mark) {
					t.Errorf("%s repeats a value: %s", p.ID, p)
				}
			}
		}
	}
}

// TestSameFileSameResult guards against the order of maps showing through.
func TestSameFileSameResult(t *testing.T) {
	var all []mapping.File
	for _, o := range samples.Organizations() {
		all = append(all, samples.Of(o)...)
	}
	first := fhirjson.Append(nil, mapping.Map(all, options()).Bundle)
	for range 5 {
		if !bytes.Equal(first, fhirjson.Append(nil, mapping.Map(all, options()).Bundle)) {
			t.Fatal("the same files gave another transaction")
		}
	}
}

// TestManyMistakes checks that a file of nothing but mistakes costs no more
// than a list of the first of them.
func TestManyMistakes(t *testing.T) {
	const rows = 5000
	file := mapping.File{Name: "介護保険被保険者証_479998_20260401090000.csv", Data: []byte(
		"保険者番号,被保険者番号,氏名,生年月日,性別,交付年月日\r\n" + strings.Repeat("1,2,,4,5,6\r\n", rows))}
	res := mapping.Map([]mapping.File{file}, options())
	last := res.Problems[len(res.Problems)-1]
	if res.Refused != rows || len(res.Problems) != 1001 || last.ID != "too-many" || !strings.Contains(last.Message.Ja, "29000") {
		t.Errorf("refused %d, %d problems, the last: %s", res.Refused, len(res.Problems), last)
	}
}

// FuzzMap feeds Map whatever: it must neither panic nor build what is not
// FHIR. Use -fuzzminimizetime 1x: the seeds are long.
func FuzzMap(f *testing.F) {
	for _, o := range samples.Organizations() {
		for _, file := range samples.Of(o) {
			f.Add(file.Name, file.Data)
		}
	}
	for _, files := range samples.Bad() {
		for _, file := range files {
			f.Add(file.Name, file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		res := mapping.Map([]mapping.File{{Name: name, Data: data}}, options())
		if res.Bundle == nil {
			return
		}
		if _, err := fhirjson.Decode(fhirjson.Append(nil, res.Bundle), fhirjson.Options{MaxBytes: 1 << 30}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	})
}

func BenchmarkMap(b *testing.B) {
	for _, o := range samples.Organizations() {
		files := samples.Of(o)
		if len(files) == 0 {
			continue
		}
		b.Run(o.Key, func(b *testing.B) {
			size := 0
			for _, f := range files {
				size += len(f.Data)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if mapping.Map(files, options()).Refused > 0 {
					b.Fatal("refused")
				}
			}
		})
	}
}
