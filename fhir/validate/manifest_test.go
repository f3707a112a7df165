package validate_test

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// The public validator cases, in the form of the reference manifest. A case
// agrees when both sides find at least one error, or both find none.

type manifestCase struct {
	Name, File           string
	Supporting, Profiles []string
	Examples             *bool
	SecurityChecks       bool                            `json:"security-checks"`
	AllowedDomain        string                          `json:"allowed-extension-domain"`
	BundleParam          *struct{ Rule, Profile string } `json:"bundle-param"`
	Java                 json.RawMessage
	Profile              *manifestProfile
}

type manifestProfile struct {
	Source     string
	Supporting []string
	Java       json.RawMessage
}

// corpus is the content of the archive by name below validator/.
type corpus map[string][]byte

func readCorpus(t *testing.T) corpus {
	t.Helper()
	f, err := os.Open("../../testdata/fhir-test-cases/validator.tar.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := corpus{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if out[strings.TrimPrefix(h.Name, "validator/")], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManifest(t *testing.T) {
	files := readCorpus(t)
	var m struct {
		Cases []manifestCase `json:"test-cases"`
	}
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, cases := range readList(t, "testdata/cases-disagree.txt") {
		listed = append(listed, cases...)
	}
	agree, all := 0, 0
	check := func(c manifestCase, p *manifestProfile, kind string, outcome json.RawMessage) {
		want, ok := files.errorsOf(outcome)
		if !ok || files[c.File] == nil {
			return // the outcome or the file is not in this part of the cases
		}
		all++
		got := files.run(t, c, p)
		name := c.Name + " " + kind
		same := (want > 0) == got.HasErrors()
		if same {
			agree++
		}
		if known := slices.Contains(listed, name); same == known {
			t.Errorf("%s: the reference finds %d errors, listed: %v, we find %v", name, want, known, got)
		}
	}
	for _, c := range m.Cases {
		check(c, nil, "base", c.Java)
		if c.Profile != nil {
			check(c, c.Profile, "profile", c.Profile.Java)
		}
	}
	t.Logf("%d of %d agree (%.1f %%)", agree, all, 100*float64(agree)/float64(all))
	if agree*100 < all*90 {
		t.Errorf("less than 90 %% agree")
	}
}

// errorsOf counts the errors of an outcome, written out or named by file.
func (files corpus) errorsOf(outcome json.RawMessage) (n int, ok bool) {
	data := []byte(outcome)
	var file string
	if json.Unmarshal(data, &file) == nil {
		data = files["outcomes/"+file]
	}
	type issues []struct{ Severity string }
	var out struct {
		ErrorCount *int
		Outcome    *struct{ Issue issues }
		Issue      issues
	}
	if len(data) == 0 || json.Unmarshal(data, &out) != nil {
		return 0, false
	}
	switch {
	case out.Outcome != nil:
		out.Issue = out.Outcome.Issue
	case out.ErrorCount != nil:
		return *out.ErrorCount, true
	}
	for _, i := range out.Issue {
		if i.Severity == "error" || i.Severity == "fatal" {
			n++
		}
	}
	return n, true
}

// run validates the resource of a case, against a profile where there is one.
func (files corpus) run(t *testing.T, c manifestCase, p *manifestProfile) fhir.Issues {
	cfg := validate.Config{RefuseMarkup: c.SecurityChecks, RefuseExamples: c.Examples != nil && !*c.Examples}
	if c.AllowedDomain != "" {
		cfg.ExtensionDomains = []string{c.AllowedDomain}
	}
	var opts validate.Options
	names := slices.Concat(c.Supporting, c.Profiles)
	if p != nil {
		names = append(slices.Concat(names, p.Supporting), p.Source)
	}
	for _, name := range names {
		r, err := decodeDefinition(files[name])
		if err != nil {
			t.Logf("%s: %s is left out: %v", c.Name, name, err)
			continue
		}
		cfg.Resources = append(cfg.Resources, r)
		if p != nil && name == p.Source {
			opts.Profiles = []string{r.Text("url")}
		}
	}
	cfg.Resolve = func(_ context.Context, reference string) (*fhir.Element, bool) {
		r, err := decode(files[path.Base(reference)+".xml"])
		return r, err == nil
	}
	if b := c.BundleParam; b != nil {
		name, _, _ := strings.Cut(b.Rule, ":")
		opts.EntryProfiles = []validate.EntryProfile{{Type: name, Profile: b.Profile}}
	}
	v, err := validate.New(cfg)
	if err != nil {
		t.Errorf("%s: %v", c.Name, err)
	}
	opts.Source = files[c.File]
	r, err := decode(opts.Source)
	if err != nil {
		return err.(fhir.Issues)
	}
	return v.Validate(t.Context(), r, opts)
}

// decode reads JSON or XML.
func decode(data []byte) (*fhir.Element, error) {
	if strings.HasPrefix(strings.TrimLeft(string(data), "\ufeff \t\r\n"), "<") {
		return fhirxml.Decode(data, fhirxml.Options{})
	}
	return fhirjson.Decode(data, fhirjson.Options{})
}

// decodeDefinition overlooks faults of form in a definition.
func decodeDefinition(data []byte) (*fhir.Element, error) {
	if r, err := fhirxml.Decode(data, fhirxml.Options{AnyOrder: true}); err == nil {
		return r, nil
	}
	return fhirjson.Decode(data, fhirjson.Options{KeepUnknown: true, KeepEmpty: true})
}
