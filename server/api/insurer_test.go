package api_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// people returns the Patients by insured number, without ids, versions and
// what refers to ids.
func people(t *testing.T, srv *servertest.Server) map[string]string {
	t.Helper()
	state := map[string]string{}
	for e := range srv.As(servertest.Operator).Search("Patient").Want(200).Resource().All("entry") {
		p := fhir.NewResource("Patient")
		for _, c := range e.Get("resource").Children {
			switch c.Name {
			case "id", "meta", "managingOrganization":
			default:
				p.Children = append(p.Children, c)
			}
		}
		state[p.Text("identifier", "value")] = string(fhirjson.Append(nil, p))
	}
	return state
}

// Whether the opinion or the card comes first, the people are those of the
// card in the end, and the insurer sees them.
func TestCardAfterOpinion(t *testing.T) {
	var states []map[string]string
	for _, order := range [][]string{{"insurer", "hospital"}, {"hospital", "insurer"}} {
		srv := servertest.Start(t)
		for _, name := range order {
			srv.Intake(name).Want(200)
		}
		states = append(states, people(t, srv))
		insurer := srv.As("insurer")
		same(t, "the insurer's people", insurer.Search("Patient").Want(200).Total(), "3")
		same(t, "cards", insurer.Search("Coverage?beneficiary.identifier="+samples.People()[0].Identifier()).Want(200).Total(), "1")
		same(t, "opinions", srv.As("hospital").Search("DocumentReference?_summary=count").Want(200).Total(),
			srv.As(servertest.Operator).Search("DocumentReference?_summary=count").Want(200).Total())
	}
	same(t, "card after opinion, opinion after card", states[1], states[0])
	for number, p := range states[0] {
		if !strings.Contains(p, "address") { // which only the card has
			t.Errorf("%s is not as on the card: %s", number, p)
		}
	}
}

// The card corrects a birth date that others registered, with a warning; what
// others send afterwards must fit the card.
func TestCardCorrectsThePerson(t *testing.T) {
	srv := servertest.Start(t)
	f := filesOf(t, "hospital")[0]
	wrong := mapping.File{Name: f.Name, Data: bytes.ReplaceAll(f.Data, []byte("19430305"), []byte("19530305"))}
	srv.As("hospital").Upload(wrong).Want(200)
	r := srv.Intake("insurer").Want(200)
	if !strings.Contains(string(r.Body), "person-corrected") {
		t.Errorf("no warning: %s", r.Body)
	}
	if got := srv.As("hospital").Upload(wrong).Want(422).Issue(); got != "business-rule/person-mismatch" {
		t.Error(got)
	}
	srv.As("hospital").Upload(f).Want(200)
}

// Outside $intake an insurer's conditional update does not reach a Patient the
// insurer does not see.
func TestHiddenPersonStaysAsItWasOutsideIntake(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("hospital").Want(200)
	op := srv.As(servertest.Operator)
	number := samples.People()[0].Identifier()
	hidden := op.Search("Patient?identifier=" + number).Want(200).Keys("match")[0]
	before := string(op.Read(hidden).Body)
	body := `{"resourceType":"Patient","identifier":[{"system":"` + care.InsuredNumber + `","value":"` + number + `"}],"active":false}`
	if r := srv.As("insurer").Do("PUT", "Patient?identifier="+number, body); r.Status == 200 {
		t.Errorf("%s", r.Body)
	}
	same(t, "the hidden person", string(op.Read(hidden).Want(200).Body), before)
}

// By its numbers $intake knows an organisation: it cannot give itself others.
func TestOrganizationKeepsItsNumbers(t *testing.T) {
	c := servertest.Start(t).As("day-care")
	entry := string(c.Read("Organization/day-care").Want(200).Body)
	c.Update(strings.Replace(entry, `"name":"`, `"name":"新`, 1)).Want(200)
	number := c.Read("Organization/day-care").Resource().Text("identifier", "value")
	if got := c.Update(strings.Replace(entry, number, "4779900010", 1)).Want(403).Issue(); got != "forbidden/own-numbers" {
		t.Error(got)
	}
	c.Do("PATCH", "Organization/day-care", `[{"op":"add","path":"/identifier/-","value":{"system":"`+care.InsurerNumber+`","value":"479998"}}]`,
		"Content-Type: application/json-patch+json").Want(403)
}
