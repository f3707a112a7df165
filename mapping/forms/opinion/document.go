package opinion

import (
	"strconv"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

const loinc = "http://loinc.org"

// document is a Bundle of type document under construction. Its entries refer
// to each other only, so that it can be read alone.
// https://hl7.org/fhir/R4/documents.html
type document struct {
	newURN func() string
	root   *fhir.Element
}

func (d *document) add(resource *fhir.Element) form.Ref {
	ref := form.Ref{URN: d.newURN()}
	e := d.root.Add("entry").Set("fullUrl", ref.URN)
	e.AddResource("resource", resource)
	return ref
}

// document builds the opinion itself: a Composition of the form's five
// sections, everybody it names, the diagnoses, the coded items as observations
// and the whole row as answers. The copy of the person in it links to the
// person of the transaction.
func (o opinion) document(known form.Ref) *fhir.Element {
	root := form.New("Bundle", care.OpinionDocumentProfile, care.PhysicianOpinion)
	o.withhold(root)
	root.Add("identifier").Set("system", care.OpinionNumber).Set("value", o.number())
	root.Set("type", "document").Set("timestamp", midnight(o.Date("written")))
	o.doc = &document{newURN: o.ctx.Bundle.NewURN, root: root}

	c := form.New("Composition", care.OpinionComposition, care.PhysicianOpinion)
	o.doc.add(c)
	people := o.people(known)
	o.heading(c, people)
	for i, title := range Sections() {
		s := c.Add("section").Set("title", title)
		item, _ := Items().Lookup("section-" + strconv.Itoa(i+1))
		form.Coded(s, "code", Items(), item)
		o.narrative(title).Put(s)
		if title == sectionIllness {
			o.conditions(s, people)
		}
		o.observations(s, title, people)
	}
	o.answers(people)
	return root
}

// parties are the document's own entries for those it is about and from.
type parties struct{ patient, physician, institution form.Ref }

func (o opinion) people(known form.Ref) parties {
	inner := form.NewBundle(o.ctx.Bundle.NewID, time.Time{})
	inner.Office(o.institution())
	inner.Insurer(o.Text("insurer"), o.Text("insurer-name"))
	inner.Patient(o.person())
	var p parties
	system, _ := codes.OrganizationSystem(o.Text("institution"))
	p.institution = o.adopt(inner, "Organization", system, o.Text("institution"))
	p.institution.Display = o.Text("institution-name")
	o.adopt(inner, "Organization", care.InsurerNumber, o.Text("insurer"))
	p.patient = o.adopt(inner, "Patient", care.InsuredNumber, codes.Insured(o.Text("insurer"), o.Text("insured")))
	_, copied, _ := inner.Find("Patient", care.InsuredNumber, codes.Insured(o.Text("insurer"), o.Text("insured")))
	link := copied.Add("link")
	form.Link(link, "other", known)
	link.Set("type", "seealso")
	p.physician = o.doc.add(physician(o.Record))
	return p
}

// adopt moves an entry of a scratch transaction into the document under the
// URN it has there.
func (o opinion) adopt(from *form.Bundle, resourceType, system, value string) form.Ref {
	ref, resource, _ := from.Find(resourceType, system, value)
	o.doc.root.Add("entry").Set("fullUrl", ref.URN).AddResource("resource", resource)
	return ref
}

func (o opinion) heading(c *fhir.Element, p parties) {
	c.Add("identifier").Set("system", care.OpinionNumber).Set("value", o.number())
	c.Set("status", "final")
	kind, _ := codes.Forms().Lookup(care.PhysicianOpinion)
	form.Coded(c, "type", codes.Forms(), kind)
	subject := form.Link(c, "subject", p.patient)
	subject.Add("identifier").Set("system", care.InsuredNumber).Set("value", codes.Insured(o.Text("insurer"), o.Text("insured")))
	c.Set("date", o.Date("written"))
	form.Link(c, "author", p.physician)
	c.Set("title", "主治医意見書")
	system, _ := codes.OrganizationSystem(o.Text("institution"))
	form.Link(c, "custodian", p.institution).Add("identifier").Set("system", system).Set("value", o.Text("institution"))
}

// narrative says every answered item of a section in words.
func (o opinion) narrative(section string) *form.Narrative {
	var rows [][2]string
	for _, c := range Sheet().Columns {
		if c.Section == section {
			rows = append(rows, [2]string{c.Name, o.Say(c.ID)})
		}
	}
	n := &form.Narrative{}
	n.Table(rows...)
	if n.Empty() {
		n.Paragraph("記載なし")
	}
	return n
}

func (o opinion) conditions(section *fhir.Element, p parties) {
	for _, n := range []string{"1", "2", "3"} {
		name := o.Text("diagnosis-" + n)
		if name == "" {
			continue
		}
		c := form.New("Condition", care.OpinionCondition, care.PhysicianOpinion)
		form.Concept(c, "clinicalStatus", "http://terminology.hl7.org/CodeSystem/condition-clinical", codes.Concept{Code: "active", Ja: "Active"})
		form.Words(c, "code", name)
		form.Link(c, "subject", p.patient)
		if day := o.Date("onset-" + n); day != "" {
			c.Set("onsetDateTime", day)
		} else {
			c.Set("onsetString", o.Text("onset-"+n))
		}
		c.Set("recordedDate", o.Date("written"))
		form.Link(c, "asserter", p.physician)
		form.Link(section, "entry", o.doc.add(c))
	}
}

// observations makes an Observation of each answered item that is coded or
// measured.
func (o opinion) observations(section *fhir.Element, title string, p parties) {
	for i := range Sheet().Columns {
		c := &Sheet().Columns[i]
		if c.Section != title || o.Text(c.ID) == "" || c.Kind == form.Free || c.Kind == form.OldDay {
			continue
		}
		ob := form.New("Observation", care.OpinionObservation, care.PhysicianOpinion)
		ob.Set("status", "final")
		form.Concept(ob, "category", care.SimpleObservation, category(c.ID))
		if _, measured := measures[c.ID]; measured { // R4's own profile of body measures wants it
			form.Concept(ob, "category", "http://terminology.hl7.org/CodeSystem/observation-category", codes.Concept{Code: "vital-signs", Ja: "Vital Signs"})
		}
		o.code(ob, c)
		form.Link(ob, "subject", p.patient)
		ob.Set("effectiveDateTime", o.effective())
		form.Link(ob, "performer", p.physician)
		o.value(ob, c)
		form.Link(section, "entry", o.doc.add(ob))
	}
}

// effective is the day the findings hold for: the last examination.
func (o opinion) effective() string {
	if day := o.Date("examined"); day != "" {
		return day
	}
	return o.Date("written")
}

var measures = map[string]struct{ loinc, display, unit string }{
	"height": {"8302-2", "Body height", "cm"},
	"weight": {"29463-7", "Body weight", "kg"},
}

func (o opinion) code(ob *fhir.Element, c *form.Column) {
	item, _ := Items().Lookup(c.ID)
	cc := form.Coded(ob, "code", Items(), item)
	if m, ok := measures[c.ID]; ok {
		cc.Add("coding").Set("system", loinc).Set("code", m.loinc).Set("display", m.display)
	}
	cc.Set("text", c.Name)
}

func (o opinion) value(ob *fhir.Element, c *form.Column) {
	switch c.Kind {
	case form.Code:
		concept, _ := o.Concept(c.ID)
		form.Coded(ob, "valueCodeableConcept", c.Codes().Table, concept)
	case form.Decimal:
		form.Quantity(ob, "valueQuantity", form.DecimalValue(o.Text(c.ID)), measures[c.ID].unit)
	case form.Bits:
		for i, item := range c.Items {
			component := ob.Add("component")
			concept, _ := Items().Lookup(item.ID)
			form.Coded(component, "code", Items(), concept)
			digit := o.Bit(c.ID, i)
			if c.Degrees != nil {
				form.Coded(component, "valueCodeableConcept", c.Degrees(), c.Degrees().Concepts[digit-'0'])
			} else {
				component.Set("valueBoolean", map[bool]string{true: "true", false: "false"}[digit != '0'])
			}
		}
	}
}

// category tells functional from cognitive status by JP Core's categories.
func category(id string) codes.Concept {
	switch id {
	case "elderly-rank", "outdoor-walking", "wheelchair", "walking-aid", "eating":
		return codes.Concept{Code: "functional-status", Ja: "Functional Status"}
	case "dementia-rank", "memory", "cognition", "communication", "symptoms-any", "symptoms":
		return codes.Concept{Code: "cognitive-status", Ja: "Cognitive Status"}
	case "height", "weight", "weight-change":
		return codes.Concept{Code: "body-measurement", Ja: "Body Measurement"}
	case "treatment", "measures", "incontinence":
		return codes.Concept{Code: "therapy", Ja: "Therapy"}
	}
	return codes.Concept{Code: "exam", Ja: "Exam"}
}

// answers keeps the whole row.
func (o opinion) answers(p parties) {
	qr := form.New("QuestionnaireResponse", care.OpinionAnswers, care.PhysicianOpinion)
	qr.Set("questionnaire", care.OpinionQuestionnaire+"|"+care.Version).Set("status", "completed")
	form.Link(qr, "subject", p.patient)
	qr.Set("authored", o.Date("written"))
	form.Link(qr, "author", p.physician)
	form.Answer(qr, o.Record)
	o.doc.add(qr)
}
