package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrintConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kaigofhir.yaml")
	if err := os.WriteFile(file, []byte("rate: 7\nburst: 33\norigins: [https://a.example, https://b.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KAIGOFHIR_BURST", "44")
	t.Setenv("KAIGOFHIR_CACHE", "256")
	t.Setenv("KAIGOFHIR_STORE", "mongodb://care:hunter2@db1:27017,db2:27017/fhir?tlsCertificateKeyFilePassword=hunter3")
	stdout, stderr, status := run(t, "serve", "--print-config", "--data", filepath.Join(dir, "data"), "--config", file,
		"--addr", "127.0.0.1:9999", "--cache", "64", "--trace-url", "https://user:hunter4@collector.example/v1/traces?key=hunter5")
	if status != 0 {
		t.Fatalf("status %d\n%s", status, stderr)
	}
	lines := map[string]string{}
	for line := range strings.Lines(stdout) {
		name, rest, _ := strings.Cut(line, " ")
		lines[name] = strings.Join(strings.Fields(rest), " ")
	}
	for name, want := range map[string]string{
		"addr":      "127.0.0.1:9999 flag",
		"cache":     "64 flag",
		"burst":     "44 environment KAIGOFHIR_BURST",
		"rate":      "7 file",
		"origins":   "https://a.example,https://b.example file",
		"max-body":  "64 default",
		"log-level": "INFO default",
		"clients":   "- default",
		"store":     "mongodb://***@db1:27017,db2:27017/fhir?*** environment KAIGOFHIR_STORE",
		"trace-url": "https://***@collector.example/v1/traces?*** flag",
	} {
		if lines[name] != want {
			t.Errorf("%s: %q, want %q", name, lines[name], want)
		}
	}
	if strings.Contains(stdout+stderr, "hunter") {
		t.Errorf("a secret is told:\n%s%s", stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("the server was started")
	}
}

// Every setting of serve has an explanation, and all but a few that make no
// sense there can come from the environment.
func TestServeSettingsAreDocumented(t *testing.T) {
	stdout, stderr, status := run(t, "serve", "--help")
	if status != 0 {
		t.Fatalf("status %d\n%s", status, stderr)
	}
	for _, name := range []string{"--metrics-addr", "--access-log", "--log-format", "--trace-url", "--trace-rate", "--print-config", "$KAIGOFHIR_METRICS_ADDR"} {
		if !strings.Contains(stdout, name) {
			t.Errorf("serve --help does not tell of %s", name)
		}
	}
}
