package intake

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

func TestSamePerson(t *testing.T) {
	person := func(gender, birth string) *fhir.Element {
		return fhir.NewResource("Patient").Set("gender", gender).Set("birthDate", birth)
	}
	for _, tt := range []struct {
		name string
		a, b *fhir.Element
		want bool
	}{
		{"alike", person("female", "1943-03-05"), person("female", "1943-03-05"), true},
		{"the day is hidden", person("female", "1943-03"), person("female", "1943-03-05"), true},
		{"another day of the month", person("female", "1943-03-06"), person("female", "1943-03-05"), true},
		{"another month", person("female", "1943-04-05"), person("female", "1943-03-05"), false},
		{"another gender", person("male", "1943-03-05"), person("female", "1943-03-05"), false},
		{"nothing known", fhir.NewResource("Patient"), person("female", "1943-03-05"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if samePerson(tt.a, tt.b) != tt.want || samePerson(tt.b, tt.a) != tt.want {
				t.Errorf("want %t both ways", tt.want)
			}
		})
	}
}

func TestInsurerOf(t *testing.T) {
	town := mapping.Identifier{System: care.InsurerNumber, Value: "479998"}
	office := mapping.Identifier{System: care.OfficeNumber, Value: "4779900010"}
	for _, tt := range []struct {
		name    string
		kind    policy.Kind
		authors []mapping.Identifier
		want    string
	}{
		{"a municipality", policy.Municipality, []mapping.Identifier{office, town}, "479998"},
		{"a municipality's file of another kind", policy.Municipality, []mapping.Identifier{office}, ""},
		{"an office under an insurer's number", policy.CareOffice, []mapping.Identifier{town}, ""},
		{"nobody", policy.Municipality, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := insurerOf(policy.Caller{Kind: tt.kind}, tt.authors); got != tt.want {
				t.Errorf("%q", got)
			}
		})
	}
}

// Who has no organisation, as a person's client, brings no files; files that
// name no author are refused even where the caller's organisation is known.
func TestCheckAuthorsWithoutOrganization(t *testing.T) {
	d := &Desk{}
	person := interaction.Call{Caller: policy.Caller{Kind: policy.Person, Patient: "p1"}}
	err := d.checkAuthors(t.Context(), person, []mapping.Identifier{{System: care.InsurerNumber, Value: "479998"}})
	if r := interaction.AsRefusal(err); err == nil || r.Reason != interaction.Denied || r.Issues[0].ID != "token-organization" {
		t.Errorf("%v", err)
	}
	if err := d.checkAuthors(t.Context(), interaction.Call{Caller: policy.Caller{Unrestricted: true}}, nil); err != nil {
		t.Errorf("unrestricted: %v", err)
	}
}
