package validate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// TestRules runs the files of testdata/rules: definitions, and resources with
// exactly the issues they must have ("id expression"; warnings and
// information with their severity in front; the advice to add narrative is
// left out).
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Definitions []json.RawMessage
			Cases       []struct {
				Name     string
				Profiles []string
				Resource json.RawMessage
				Want     []string
			}
		}
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var cfg validate.Config
		for _, d := range f.Definitions {
			cfg.Resources = append(cfg.Resources, mustDecode(t, d))
		}
		v, err := validate.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Cases {
			t.Run(filepath.Base(name)+"/"+c.Name, func(t *testing.T) {
				got := []string{}
				for _, i := range v.Validate(t.Context(), mustDecode(t, c.Resource), validate.Options{Profiles: c.Profiles, Source: c.Resource}) {
					if i.ID == "dom-6" {
						continue
					}
					line := i.ID + " " + i.Expression
					if i.Severity != fhir.Error {
						line = string(i.Severity) + " " + line
					}
					got = append(got, line)
					if i.Message.En == "" || i.Message.Ja == "" || i.Line == 0 {
						t.Errorf("%s lacks a message or a line: %+v", i.ID, i)
					}
				}
				if diff := cmp.Diff(append([]string{}, c.Want...), got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func mustDecode(t *testing.T, data []byte) *fhir.Element {
	t.Helper()
	r, err := fhirjson.Decode(data, fhirjson.Options{})
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return r
}
