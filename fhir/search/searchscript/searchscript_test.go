package searchscript

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

func registry(t testing.TB) *search.Registry {
	t.Helper()
	r, err := search.New(Options())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOracle(t *testing.T) {
	Run(t, func(t *testing.T) Engine { return &Oracle{Registry: registry(t)} })
}

// forKeys leaves of a case what keys alone can answer: the matches.
func forKeys(c *Case) bool {
	c.Want.Ordered, c.Want.Total, c.Want.Included = false, nil, nil
	return c.Want.Refused != nil || c.Want.Matches != nil && !strings.Contains(c.Query, "_count=")
}

func TestKeyed(t *testing.T) {
	scripts, err := All()
	if err != nil {
		t.Fatal(err)
	}
	r := registry(t)
	for _, s := range scripts {
		t.Run(s.Name, func(t *testing.T) {
			s.Cases = slices.DeleteFunc(s.Cases, func(c *Case) bool { return !forKeys(c) })
			s.Run(t, &Keyed{Registry: r})
		})
	}
}
