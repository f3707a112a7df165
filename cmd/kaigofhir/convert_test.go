package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConvert(t *testing.T) {
	const (
		asXML  = "<Patient xmlns=\"http://hl7.org/fhir\">\n  <active value=\"true\"/>\n</Patient>\n"
		asJSON = "{\n  \"resourceType\": \"Patient\",\n  \"active\": true\n}\n"
	)
	tests := []struct {
		name, input    string
		args           []string
		lang           string
		status         int
		stdout, stderr string // FILE in stderr stands for the file's name
	}{
		{name: "JSON to XML", input: asJSON, args: []string{"--to", "xml"}, stdout: asXML},
		{name: "XML to JSON", input: asXML, args: []string{"--to", "json"}, stdout: asJSON},
		{name: "XML with byte order mark", input: "\ufeff\n" + asXML, args: []string{"--to=json", "--compact"}, stdout: "{\"resourceType\":\"Patient\",\"active\":true}\n"},
		{name: "compact XML", input: asXML, args: []string{"--to", "xml", "--compact"}, stdout: "<Patient xmlns=\"http://hl7.org/fhir\"><active value=\"true\"/></Patient>\n"},
		{name: "bad resource", input: "{\"resourceType\":\"Patient\",\n\"active\":\"yes\",\"nmae\":1}", args: []string{"--to", "xml"}, status: 1,
			stderr: "FILE:2:10: error: Patient.active: true or false is expected here [json-kind]\nFILE:2:16: error: Patient.nmae: Patient has no property \"nmae\" [element-unknown]\n"},
		{name: "bad resource, in Japanese", input: `<Patient xmlns="http://hl7.org/fhir"><active value="1"/></Patient>`, args: []string{"--to", "json"}, lang: "ja_JP.UTF-8", status: 1,
			stderr: "FILE:1:46: error: Patient.active: ここにはtrueまたはfalseが必要です [xml-value]\n"},
		{name: "no form", input: asJSON, status: 2, stderr: "kaigofhir: missing flags: --to=STRING\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "resource")
			if err := os.WriteFile(file, []byte(tt.input), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			a := &app{ctx: t.Context(), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return tt.lang }}
			if status := a.main(append([]string{"convert", file}, tt.args...)); status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			if diff := cmp.Diff(tt.stdout, stdout.String()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.stderr, string(bytes.ReplaceAll(stderr.Bytes(), []byte(file), []byte("FILE")))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
