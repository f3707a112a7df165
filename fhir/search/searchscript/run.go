package searchscript

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Engine is what runs a script: the oracle, a store, a server.
type Engine interface {
	// Load makes these the only resources.
	Load(records []*Record) error
	// Search answers a query string. A query that is refused is an Answer
	// with Refused, not an error. Where the query has no _count, all matches
	// are asked for.
	Search(resourceType, query string, must search.Must) (Answer, error)
}

// Answer is what a search gave.
type Answer struct {
	Matches  []string // "Type/id", or "Type/id#id" for a contained resource, in order
	Total    int64    // -1 where not told
	Included []string
	Unknown  []string
	Refused  fhir.Issues
}

// Run runs every script of the package against a fresh engine each.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	scripts, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		t.Run(s.Name, func(t *testing.T) { s.Run(t, open(t)) })
	}
}

// Run loads the resources of the script and checks every case.
func (s *Script) Run(t *testing.T, e Engine) {
	t.Helper()
	if err := e.Load(s.Records); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Cases {
		a, err := e.Search(c.Type, c.Query, c.Must)
		if err == nil {
			err = c.Check(a)
		}
		if err != nil {
			t.Errorf("%s.txt:%d: search %s: %v", s.Name, c.Line, c.Text, err)
		}
	}
}

// Check compares an answer with what the case expects.
func (c *Case) Check(a Answer) error {
	w := c.Want
	if w.Refused != nil || a.Refused != nil {
		return w.Refused.check(a.Refused)
	}
	var wrong []error
	compare := func(what string, got, want []string, ordered bool) {
		if want == nil {
			return
		}
		got, want = slices.Clone(got), slices.Clone(want)
		if !ordered {
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			wrong = append(wrong, fmt.Errorf("%s are %v, want %v", what, got, want))
		}
	}
	compare("matches", a.Matches, w.Matches, w.Ordered)
	compare("included", a.Included, w.Included, false)
	compare("unknown", a.Unknown, w.Unknown, false)
	if w.Unknown == nil && len(a.Unknown) > 0 {
		wrong = append(wrong, fmt.Errorf("unknown parameters %v", a.Unknown))
	}
	if w.Total != nil && *w.Total != a.Total {
		wrong = append(wrong, fmt.Errorf("total is %d, want %d", a.Total, *w.Total))
	}
	if w.Matches == nil && w.Included == nil && w.Unknown == nil && w.Total == nil {
		wrong = append(wrong, errors.New("the case expects nothing"))
	}
	return errors.Join(wrong...)
}

func (r *Refusal) check(issues fhir.Issues) error {
	switch {
	case r == nil:
		return fmt.Errorf("refused: %w", issues)
	case len(issues) == 0:
		return errors.New("not refused")
	case r.Code != "" && r.Code != string(issues[0].Code):
		return fmt.Errorf("refused with code %s, want %s", issues[0].Code, r.Code)
	case r.Expression != "" && r.Expression != issues[0].Expression:
		return fmt.Errorf("refused at %s, want %s", issues[0].Expression, r.Expression)
	}
	return nil
}

func newPatients(ids []string) search.Patients {
	ids = slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == "" })
	slices.Sort(ids)
	return patients(ids)
}

// Contains implements search.Patients.
func (p patients) Contains(id string) bool { _, ok := slices.BinarySearch(p, id); return ok }

// Len implements search.Patients.
func (p patients) Len() int { return len(p) }

// IDs implements search.Patients.
func (p patients) IDs() []string { return p }
