package interaction

import (
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/server/policy"
)

// FuzzTarget reads URLs of Bundle entries: whatever they hold, a target that is
// accepted names a known type and a valid id.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"Patient", "Patient/1", "Patient/1/_history/2", "Patient?name=x", "/Patient/_search?x", "http://h/fhir/Patient/1",
		"Patient/1/Observation?code=x", "$convert", "Patient/1/$everything", "_history", "metadata", "", "?", "//", "a/b/c/d/e", "Patient/1/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		got, err := parseTarget("http://h/fhir", url)
		if err != nil {
			return
		}
		if got.Type != "" && !IsResourceType(got.Type) {
			t.Errorf("%q: type %q", url, got.Type)
		}
		if got.ID != "" && !ValidID(got.ID) {
			t.Errorf("%q: id %q", url, got.ID)
		}
		if got.Operation != "" && !strings.HasPrefix(got.Operation, "$") {
			t.Errorf("%q: operation %q", url, got.Operation)
		}
	})
}

// FuzzETag reads ETags: one that is accepted comes back the same.
func FuzzETag(f *testing.F) {
	for _, s := range []string{`W/"1"`, `"2"`, "3", `W/""`, `W/"01"`, `W/"-1"`, "", `"`, `W/"18446744073709551616"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := ParseETag(text)
		if !ok {
			return
		}
		if again, ok := ParseETag(ETag(n)); !ok || again != n || n == 0 {
			t.Errorf("%q gives %d, then %d", text, n, again)
		}
	})
}

// FuzzPeriod reads dates: a period that is accepted ends after it begins.
func FuzzPeriod(f *testing.F) {
	for _, s := range []string{"2026", "2026-04", "2026-04-01", "2026-04-01T09:00Z", "2026-04-01T09:00:00+09:00", "2026-04-01T09:00:00.123Z", "x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if from, until, ok := parsePeriod(text); ok && !until.After(from) {
			t.Errorf("%q: from %v until %v", text, from, until)
		}
	})
}

// FuzzCursor reads paging links: only what this server sealed, for this caller,
// opens.
func FuzzCursor(f *testing.F) {
	l, err := newLinkSealer(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	caller := policy.Caller{Client: "a"}
	good, err := l.seal(cursor{Kind: "s", Query: "name=x", Expires: now.Unix() + 60}, caller)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := l.open(text, caller, now); err == nil && text != good {
			t.Errorf("%q opened", text)
		}
		if _, err := l.open(text, policy.Caller{Client: "b"}, now); err == nil {
			t.Errorf("%q opened for another", text)
		}
	})
}
