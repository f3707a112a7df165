package mapping_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
)

func TestBadX(t *testing.T) {
	for name, files := range samples.Bad() {
		res := mapping.Map(files, options())
		t.Log(name, res.Refused, res.Bundle != nil)
		for _, p := range res.Problems {
			t.Log("   ", p.ID, p.Severity, p)
		}
	}
}
