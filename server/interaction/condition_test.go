package interaction

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

func TestInsured(t *testing.T) {
	for _, tt := range []struct {
		name, system, value string
		want                bool
	}{
		{"the insurer's number", care.InsuredNumber, "479998:0000000101", true},
		{"another's", care.InsuredNumber, "479997:0000000101", false},
		{"a longer number that begins alike", care.InsuredNumber, "4799981:0000000101", false},
		{"another system", care.CardNumber, "479998:0000000101", false},
		{"no number", "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := fhir.NewResource("Patient")
			p.Add("identifier").Set("system", "http://example.org").Set("value", "479998:1")
			p.Add("identifier").Set("system", tt.system).Set("value", tt.value)
			if got := insured(p, "479998"); got != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}
