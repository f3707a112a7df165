package guide_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/guide"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

var update = flag.Bool("update", false, "write the published resources anew")

const folder = "../../profiles/care/resources"

// TestPublished checks that what is published is what the tables say.
func TestPublished(t *testing.T) {
	list := guide.Resources()
	if *update {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range list {
		name := filepath.Join(folder, guide.FileName(r))
		want := append(fhirjson.AppendIndent(nil, r), '\n')
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not up to date (%v); run go generate ./mapping/guide", guide.FileName(r), err)
		}
		if _, err := fhirjson.Decode(want, fhirjson.Options{}); err != nil {
			t.Errorf("%s: %v", guide.FileName(r), err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != len(list) {
		t.Errorf("%d files for %d resources (%v)", len(entries), len(list), err)
	}
}

// TestPages checks that the reference pages say what the rule sheets do.
func TestPages(t *testing.T) {
	for name, text := range guide.Pages() {
		file := filepath.Join("../../docs/forms", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(file); err != nil || string(have) != text {
			t.Errorf("%s is not up to date (%v); run go generate ./mapping/guide", name, err)
		}
	}
}

// TestEmbedded checks that the care package serves every one of them.
func TestEmbedded(t *testing.T) {
	if *update {
		t.Skip("the files have just been written; what is embedded is from before")
	}
	for _, r := range guide.Resources() {
		data, ok := care.Resource(r.Text("url"))
		if !ok || !bytes.Contains(data, []byte(r.Text("url"))) {
			t.Errorf("%s is not embedded", r.Text("url"))
		}
	}
	if n := len(care.URLs("")); n != len(guide.Resources()) {
		t.Errorf("%d resources are embedded, want %d", n, len(guide.Resources()))
	}
}

// TestFormsAgree checks that the mapping calls the forms as the matrix does.
func TestFormsAgree(t *testing.T) {
	matrix := sharing.National()
	for _, c := range codes.Forms().Concepts {
		row, ok := matrix.Row(c.Code)
		if !ok || row.Ja != c.Ja {
			t.Errorf("%s is %q here, %q in the matrix", c.Code, c.Ja, row.Ja)
		}
	}
}
