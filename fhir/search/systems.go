package search

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// systems knows the code system that the binding of an element of type code
// implies. It is safe for concurrent use.
// https://hl7.org/fhir/R4/search.html#token
type systems struct{ known sync.Map } // value set URL → *implied

func newSystems() *systems { return &systems{} }

// implied is what a value set says about the systems of its codes.
type implied struct {
	only   string            // the one system of the whole set
	byCode map[string]string // where there are several and the codes are listed
}

// of returns the system of a code under a binding, "" where it is not clear.
func (s *systems) of(b *r4.Binding, code string) string {
	if b == nil || b.ValueSet == "" {
		return ""
	}
	v, ok := s.known.Load(b.ValueSet)
	if !ok {
		v, _ = s.known.LoadOrStore(b.ValueSet, readImplied(b.ValueSet))
	}
	set := v.(*implied)
	if set.only != "" {
		return set.only
	}
	return set.byCode[code]
}

func readImplied(valueSet string) *implied {
	out := &implied{byCode: map[string]string{}}
	url, _, _ := strings.Cut(valueSet, "|")
	data, ok := r4.Conformance(url)
	if !ok {
		return out
	}
	var vs struct {
		Compose struct {
			Include []struct {
				System  string `json:"system"`
				Concept []struct {
					Code string `json:"code"`
				} `json:"concept"`
				ValueSet []string `json:"valueSet"`
			} `json:"include"`
		} `json:"compose"`
	}
	if json.Unmarshal(data, &vs) != nil {
		return out
	}
	one := len(vs.Compose.Include) > 0
	for _, include := range vs.Compose.Include {
		one = one && include.System == vs.Compose.Include[0].System && len(include.ValueSet) == 0
		for _, c := range include.Concept {
			out.byCode[c.Code] = include.System
		}
	}
	if one {
		return &implied{only: vs.Compose.Include[0].System}
	}
	return out
}
