package search_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// TestOptions asks the same of registries that differ in one option.
func TestOptions(t *testing.T) {
	now := func() time.Time { return time.Date(2024, 5, 11, 0, 0, 0, 0, time.UTC) }
	const (
		late = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"effectiveDateTime":"2024-03-31T20:00:00Z"}`
		may  = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"effectiveDateTime":"2024-04-02T12:00:00Z"}`
		own  = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"https://a.jp/r4/Patient/1"}}`
		near = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"https://a.jp/r4Patient/1"}}`
	)
	tests := []struct {
		name     string
		opts     search.Options
		resource string
		query    string
		want     bool
	}{
		{"Japan is the zone", search.Options{}, late, "date=2024-04-01", true},
		{"another zone", search.Options{Zone: time.UTC}, late, "date=2024-04-01", false},
		{"another zone, its day", search.Options{Zone: time.UTC}, late, "date=2024-03-31", true},
		{"about without a clock", search.Options{}, may, "date=ap2024-04-01", false},
		{"about, a tenth of 40 days away", search.Options{Now: now, Zone: time.UTC}, may, "date=ap2024-04-01", true},
		{"about, yet too far", search.Options{Now: now, Zone: time.UTC}, may, "date=ap2024-04-20", false},
		{"own base", search.Options{BaseURL: "https://a.jp/r4"}, own, "subject=Patient/1", true},
		{"own base with a slash", search.Options{BaseURL: "https://a.jp/r4/"}, own, "subject=Patient/1", true},
		{"no base", search.Options{}, own, "subject=Patient/1", false},
		{"only the start of the base", search.Options{BaseURL: "https://a.jp/r4"}, near, "subject=Patient/1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := search.New(tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			req, err := r.Parse("Observation", tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := r.Match(req.Query.Where, decode(t, tt.resource), nil); err != nil || got != tt.want {
				t.Errorf("match is %v %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestRefusedWithoutOption(t *testing.T) {
	r, err := search.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"_text=x", "_content=x", "code:in=http://x", "code:not-in=http://x", "code:below=a|b", "code:above=a|b"} {
		var issues fhir.Issues
		if _, err := r.Parse("Observation", query); !errors.As(err, &issues) || issues[0].Code != fhir.NotSupported {
			t.Errorf("%s: %v", query, err)
		}
	}
	keys, err := r.Keys(decode(t, `{"resourceType":"Organization","id":"p","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">介護</div>"}}`))
	if err != nil || len(keys) != 2 {
		t.Errorf("%d keys, want those of _id and _type: %q %v", len(keys), keys, err)
	}
}
