package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFHIRPath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "patient.json")
	const patient = `{"resourceType":"Patient","active":true,"name":[{"family":"山田","given":["花子"]},{"text":"旧姓"}]}`
	if err := os.WriteFile(file, []byte(patient), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, expression string
		status           int
		want             string // standard output, or part of standard error
	}{
		{"a value", "name.family", 0, "山田\n"},
		{"several values", "name.given | name.text", 0, "花子\n旧姓\n"},
		{"elements as JSON", "Patient.name.first()", 0, `{"family":"山田","given":["花子"]}` + "\n"},
		{"computed", "name.count() + 1", 0, "3\n"},
		{"nothing", "birthDate", 0, ""},
		{"not FHIRPath", "name.(", 1, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			a := &app{ctx: t.Context(), stdout: &stdout, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" }}
			if status := a.main([]string{"fhirpath", tt.expression, file}); status != tt.status {
				t.Errorf("status %d, want %d: %s", status, tt.status, stderr.String())
			}
			if tt.status == 0 && stdout.String() != tt.want {
				t.Errorf("got %q, want %q", stdout.String(), tt.want)
			}
			if tt.status != 0 && !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("got %q, want %q", stderr.String(), tt.want)
			}
		})
	}
}
