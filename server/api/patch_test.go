package api_test

import (
	"fmt"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

func TestPatchKinds(t *testing.T) {
	for _, tt := range []struct{ name, contentType, patch string }{
		{"JSON Patch", "application/json-patch+json", `[{"op":"replace","path":"/active","value":true}]`},
		{"Merge Patch", "application/merge-patch+json", `{"active":true}`},
		{"FHIRPath Patch", "application/fhir+json", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":true}]}]}`},
		{"FHIRPath Patch in XML", "application/fhir+xml", `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="replace"/></part><part><name value="path"/><valueString value="Patient.active"/></part><part><name value="value"/><valueBoolean value="true"/></part></parameter></Parameters>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := servertest.Start(t, servertest.Open).Anonymous()
			c.Update(`{"resourceType":"Patient","id":"p1","active":false,"birthDate":"1940-02-03"}`).Want(201)
			r := c.Do("PATCH", "Patient/p1", tt.patch, "Content-Type: "+tt.contentType).Want(200)
			e := r.Resource()
			if r.Header.Get("ETag") != `W/"2"` || e.Text("active") != "true" || e.Text("birthDate") != "1940-02-03" || e.Text("meta", "versionId") != "2" {
				t.Errorf("%s", r.Body)
			}
			c.Do("PATCH", "Patient?birthdate=1940-02-03", tt.patch, "Content-Type: "+tt.contentType, `If-Match: W/"2"`).Want(200)
		})
	}
}

func TestPatchInBundles(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	// [{"op":"add","path":"/active","value":true}]
	binary := `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W3sib3AiOiJhZGQiLCJwYXRoIjoiL2FjdGl2ZSIsInZhbHVlIjp0cnVlfV0="}`
	params := `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"birthDate"},{"name":"value","valueDate":"1940-02-03"}]}]}`
	same(t, "batch", statuses(t, c.Post(bundleOf("batch", "PATCH Patient/p1 "+binary)).Want(200)), []string{"200"})
	same(t, "transaction", statuses(t, c.Post(bundleOf("transaction", "PATCH Patient/p1 "+params)).Want(200)), []string{"200"})
	e := c.Read("Patient/p1").Resource()
	if e.Text("active") != "true" || e.Text("birthDate") != "1940-02-03" {
		t.Errorf("%s", c.Read("Patient/p1").Body)
	}
}

func TestRacePatches(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1","name":[{"family":"山田"}]}`).Want(201)
	got := together(20, func(i int) int {
		return c.Do("PATCH", "Patient/p1", fmt.Sprintf(`[{"op":"add","path":"/name/-","value":{"text":"%d"}}]`, i),
			"Content-Type: application/json-patch+json").Status
	})
	same(t, "statuses", got, map[int]int{200: 20})
	names := map[string]bool{}
	for n := range c.Read("Patient/p1").Resource().All("name") {
		names[n.Text("text")] = true
	}
	same(t, "names", len(names), 21)
}
