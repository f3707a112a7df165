package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/cmd/kaigofhir/internal/demo"
)

// TestMainJobByOutsideClient drives the main job with fhir-kit-client, a FHIR
// client written by others. It needs Node.js and `make outside-install`.
func TestMainJobByOutsideClient(t *testing.T) {
	folder := filepath.Join("..", "..", "conformance", "outside")
	_, lookErr := exec.LookPath("node")
	_, installErr := os.Stat(filepath.Join(folder, "node_modules", "fhir-kit-client"))
	if lookErr != nil || installErr != nil {
		const reason = "needs Node.js and `make outside-install`"
		if os.Getenv("KAIGOFHIR_CI") != "" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	f := startFlow(t)
	samples, err := filepath.Abs(filepath.Join("..", "..", "mapping", "samples", "files"))
	if err != nil {
		t.Fatal(err)
	}
	input, err := f.world.Outside(samples, f.clients)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "flow.mjs")
	cmd.Dir = folder
	cmd.Stdin = bytes.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr.String(), f.process.stderr)
	}
	var got struct{ Tables []map[string]int }
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v in %q", err, stdout.String())
	}
	seen := map[string]string{}
	for i, stage := range []demo.Stage{demo.BeforeConsent, demo.AfterConsent, demo.AfterWithdrawal} {
		for cell, what := range demo.Sees(got.Tables[i]) {
			seen[string(stage)+"/"+cell] = what
		}
	}
	if diff := cmp.Diff(wantTables(t), seen); diff != "" {
		t.Errorf("what the outside client sees differs from the matrix (-matrix +client):\n%s", diff)
	}
}
