package audit

import (
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

const (
	typeSystem        = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	interactionSystem = "http://hl7.org/fhir/restful-interaction"
	roleSystem        = "http://terminology.hl7.org/CodeSystem/object-role"
	entitySystem      = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	reasonSystem      = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	lifecycleSystem   = "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle"
	sourceSystem      = "http://terminology.hl7.org/CodeSystem/security-source-type"
)

// erased is "Permanent erasure / Physical destruction".
const erased = "15"

// actions are the codes of AuditEvent.action by interaction; others are E.
var actions = map[string]string{
	"create": "C", "read": "R", "vread": "R", "update": "U", "patch": "U", "delete": "D",
	"history-instance": "R", "history-type": "R", "history-system": "R", "$purge": "D",
}

// resource returns the AuditEvent of an event. It holds references and codes,
// no other data of persons.
func (e *Event) resource(id string) *fhir.Element {
	r := fhir.NewResource("AuditEvent").Set("id", id)
	r.Add("type").Set("system", typeSystem).Set("code", "rest")
	r.Add("subtype").Set("system", interactionSystem).Set("code", e.Interaction)
	action := actions[e.Interaction]
	if action == "" {
		action = "E"
	}
	r.Set("action", action).Set("recorded", e.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	r.Set("outcome", e.outcome())
	if e.Refusal != "" {
		r.Set("outcomeDesc", e.Refusal)
	}
	purpose := "TREAT"
	if e.Caller.Purpose != "" {
		purpose = e.Caller.Purpose
	}
	addCoding(r.Add("purposeOfEvent"), reasonSystem, purpose)
	e.addAgent(r.Add("agent"))
	source := r.Add("source")
	source.Add("observer").Set("display", "kaigofhir")
	source.Add("type").Set("system", sourceSystem).Set("code", "4")
	e.addEntities(r)
	return r
}

// outcome is 0 for success, 4 for a refusal, 8 for a failure of the server.
// https://hl7.org/fhir/R4/valueset-audit-event-outcome.html
func (e *Event) outcome() string {
	switch {
	case e.Broken:
		return "8"
	case e.Refusal != "":
		return "4"
	}
	return "0"
}

func (e *Event) addAgent(agent *fhir.Element) {
	c := &e.Caller
	if c.Kind != "" {
		system := care.OrganizationKindSystem
		addCoding(agent.Add("role"), system, string(c.Kind))
	}
	switch {
	case c.Organization != "":
		agent.Add("who").Set("reference", "Organization/"+c.Organization)
	case c.Patient != "":
		agent.Add("who").Set("reference", "Patient/"+c.Patient)
	}
	agent.Set("altId", c.Client).Set("requestor", "true")
	if c.Acting != policy.AsSelf {
		agent.Set("name", string(c.Acting))
	}
}

func (e *Event) addEntities(r *fhir.Element) {
	request := r.Add("entity")
	if e.Request != "" {
		request.Add("what").Add("identifier").Set("value", e.Request)
	}
	request.Add("type").Set("system", entitySystem).Set("code", "4")
	request.Add("role").Set("system", roleSystem).Set("code", "20")
	e.addDetails(request)
	if e.Patient != "" {
		patient := r.Add("entity")
		patient.Add("what").Set("reference", "Patient/"+e.Patient)
		patient.Add("type").Set("system", entitySystem).Set("code", "1")
		patient.Add("role").Set("system", roleSystem).Set("code", "1")
	}
	for _, w := range e.What {
		if w.Type == "Patient" && w.ID == e.Patient && !e.Erased {
			continue
		}
		entity := r.Add("entity")
		entity.Add("what").Set("reference", w.reference())
		entity.Add("type").Set("system", entitySystem).Set("code", "2")
		entity.Add("role").Set("system", roleSystem).Set("code", "4")
		if e.Erased {
			entity.Add("lifecycle").Set("system", lifecycleSystem).Set("code", erased)
		}
	}
}

// addDetails tells what was asked and by which rules it was decided.
func (e *Event) addDetails(entity *fhir.Element) {
	add := func(name, value string) {
		if value != "" {
			entity.Add("detail").Set("type", name).Set("valueString", value)
		}
	}
	add("resource", e.Type)
	add("parameters", strings.Join(e.Parameters, " "))
	add("rules", strings.Join(e.Rules, " "))
	if e.More > 0 {
		add("more", strconv.Itoa(e.More))
	}
}

func (w *Reference) reference() string {
	if w.Version == 0 {
		return w.Key.String()
	}
	return w.Key.String() + "/_history/" + strconv.FormatUint(w.Version, 10)
}

func addCoding(concept *fhir.Element, system, code string) {
	concept.Add("coding").Set("system", system).Set("code", code)
}
