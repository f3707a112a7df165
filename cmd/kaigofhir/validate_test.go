package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

func TestValidate(t *testing.T) {
	const (
		good    = `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"active":true}`
		bad     = "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>\"},\n \"birthDate\":\"1940-02-30\"}"
		profile = `{"resourceType":"StructureDefinition","url":"https://example.jp/p","name":"P","status":"active","kind":"resource","abstract":false,"type":"Patient",
 "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint","differential":{"element":[{"path":"Patient.name","min":1}]}}`
	)
	tests := []struct {
		name, input    string
		args           []string
		status         int
		stdout, stderr string // FILE stands for the file's name
	}{
		{name: "valid", input: good, stdout: "FILE: no issues\n"},
		{name: "valid, in Japanese", input: good, args: []string{"--lang=ja"}, stdout: "FILE: 問題は見つかりませんでした\n"},
		{name: "a date that does not exist", input: bad, status: 1,
			stdout: "FILE:2:14: error: Patient.birthDate: The value is not a valid date: YYYY, YYYY-MM or YYYY-MM-DD of the calendar [primitive-format]\n"},
		{name: "as OperationOutcome", input: bad, args: []string{"--json", "--lang=ja"}, status: 1,
			stdout: `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","details":{"coding":[{"code":"primitive-format"}],` +
				`"text":"値が date として正しくありません: 暦にある YYYY、YYYY-MM、YYYY-MM-DD のいずれか","_text":{"extension":[{"extension":[{"url":"lang","valueCode":"en"},` +
				`{"url":"content","valueString":"The value is not a valid date: YYYY, YYYY-MM or YYYY-MM-DD of the calendar"}],"url":"http://hl7.org/fhir/StructureDefinition/translation"}]}},` +
				`"location":["Line[2] Col[14]"],"expression":["Patient.birthDate"]}]}` + "\n"},
		{name: "valid, as OperationOutcome", input: good, args: []string{"--json"},
			stdout: `{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","details":{"coding":[{"code":"valid"}],"text":"no issues",` +
				`"_text":{"extension":[{"extension":[{"url":"lang","valueCode":"ja"},{"url":"content","valueString":"問題は見つかりませんでした"}],"url":"http://hl7.org/fhir/StructureDefinition/translation"}]}}}]}` + "\n"},
		{name: "unknown element and more", input: strings.Replace(bad, `"text"`, `"nmae":1,"text"`, 1), status: 1,
			stdout: "FILE:1:34: error: Patient.nmae: R4 does not define an element 'nmae' here [element-unknown]\n" +
				"FILE:2:14: error: Patient.birthDate: The value is not a valid date: YYYY, YYYY-MM or YYYY-MM-DD of the calendar [primitive-format]\n"},
		{name: "not FHIR", input: "{", status: 1, stdout: "FILE:1:2: fatal: not JSON: property name expected [json-syntax]\n"},
		{name: "profile", input: good, args: []string{"--profile=https://example.jp/p", "--with=PROFILE"}, status: 1,
			stdout: "FILE:1:1: error: Patient: Patient.name is needed at least 1 time(s) but occurs 0 time(s) [profile-min]\n"},
		{name: "profile in a directory", input: good, args: []string{"--profile=https://example.jp/p", "--with=DIR"}, status: 1,
			stdout: "FILE:1:1: error: Patient: Patient.name is needed at least 1 time(s) but occurs 0 time(s) [profile-min]\n"},
		{name: "unknown profile", input: good, args: []string{"--profile=https://example.jp/p"}, status: 1,
			stderr: "kaigofhir: the profile https://example.jp/p is not known: name the file or package that has it with --with\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file, with := filepath.Join(dir, "resource"), filepath.Join(dir, "profile.json")
			for name, content := range map[string]string{file: tt.input, with: profile} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			replace := strings.NewReplacer("PROFILE", with, "DIR", dir)
			args := []string{"validate", file}
			for _, a := range tt.args {
				args = append(args, replace.Replace(a))
			}
			var stdout, stderr bytes.Buffer
			a := &app{ctx: t.Context(), stdout: &stdout, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" }}
			if status := a.main(args); status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			if diff := cmp.Diff(tt.stdout, strings.ReplaceAll(stdout.String(), file, "FILE")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.stderr, strings.ReplaceAll(stderr.String(), file, "FILE")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestValidateJapanesePackages checks the examples of JP Core and JP-CLINS
// against their packages.
func TestValidateJapanesePackages(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "fhir-packages")
	core := filepath.Join(root, "jp-core.r4-1.1.2-url.tgz")
	clins := filepath.Join(root, "jp-clins.r4-1.5.2-snap.tgz")
	if _, err := os.Stat(core); err != nil {
		t.Skip("the packages of JP Core and JP-CLINS are not there: ", err)
	}
	d := &definitions{warn: func(file string, err error) { t.Errorf("%s: %v", file, err) }}
	for _, name := range []string{core, clins} {
		if err := d.load(name); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	var files []string
	for _, r := range d.resources {
		if r.Get("meta", "profile") == nil || r.Text("url") != "" {
			continue
		}
		name := filepath.Join(dir, r.ResourceType()+"-"+r.ID()+".json")
		if err := os.WriteFile(name, fhirjson.Append(nil, r), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	var stdout, stderr bytes.Buffer
	a := &app{ctx: t.Context(), stdout: &stdout, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" }}
	if status := a.main(append([]string{"validate", "--with", core, "--with", clins}, files...)); status != 0 || len(files) < 30 {
		t.Errorf("status %d for %d examples\n%s%s", status, len(files), stdout.String(), stderr.String())
	}
}
