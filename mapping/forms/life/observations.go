package life

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

const (
	loinc              = "http://loinc.org"
	observationSystem  = "http://terminology.hl7.org/CodeSystem/observation-category"
	barthelPanel       = "96761-2"
	barthelPanelName   = "Total score Barthel Index"
	functionalStatus   = "functional-status"
	cognitiveStatus    = "cognitive-status"
	nutritionDayColumn = "nutrition_evalaute_date"
)

// out writes what comes of one record.
type out struct {
	record
	bundle          *form.Bundle
	office, patient form.Ref
	source          form.Ref // the QuestionnaireResponse
}

// answers keeps the row whole.
func (o *out) answers() {
	qr := form.New("QuestionnaireResponse", care.LifeAnswers, care.LifeFeedback)
	qr.Add("identifier").Set("system", care.LifeRecordNumber).Set("value", o.number())
	qr.Set("questionnaire", questionnaire(o.kind)+"|"+care.Version).Set("status", "completed")
	form.Link(qr, "subject", o.patient)
	qr.Set("authored", o.evaluated())
	form.Link(qr, "author", o.office)
	form.Answer(qr, o.Record)
	o.source = o.bundle.Put(qr, care.LifeRecordNumber, o.number(), "")
}

// questionnaire is the canonical of the questions of a kind of data; a kind
// whose layout is not known answers those of the edition before.
func questionnaire(kind string) string {
	switch kind {
	case kindPromotion, kindADL, kindADL2024:
	default:
		kind = kindPromotion
	}
	return care.LifeQuestionnaireBase + strings.ToLower(strings.ReplaceAll(kind, "_", "-"))
}

// observe begins an observation of the record, "" for the day meaning the day
// of the evaluation.
func (o *out) observe(profile, category, day string) *fhir.Element {
	ob := form.New("Observation", profile, care.LifeFeedback)
	ob.Set("status", "final")
	form.Concept(ob, "category", care.SimpleObservation, codes.Concept{Code: category})
	form.Link(ob, "subject", o.patient)
	if day == "" {
		day = o.evaluated()
	}
	ob.Set("effectiveDateTime", day)
	form.Link(ob, "performer", o.office)
	return ob
}

// put adds an observation under the record's number and a name of its own.
func (o *out) put(ob *fhir.Element, name string) form.Ref {
	number := o.number() + ":" + name
	form.Identify(ob, care.LifeRecordNumber, number)
	if o.source.URN != "" {
		form.Link(ob, "derivedFrom", o.source)
	}
	return o.bundle.Put(ob, care.LifeRecordNumber, number, "")
}

// item sets the code of an observation or component to an item of LIFE.
func item(e *fhir.Element, id string) *fhir.Element {
	c, _ := Items().Lookup(id)
	return form.Coded(e, "code", Items(), c)
}

func (o *out) observations() {
	o.barthel()
	o.rank("impaired_elderly_independence_degree", functionalStatus)
	o.rank("dementia_elderly_independence_degree", cognitiveStatus)
	if o.Sheet != Promotion() {
		return
	}
	o.body()
	o.albumin()
	o.rank("low_operating_risk_level", "survey")
	var dbd, vitality []string
	for i := range dbdItems {
		dbd = append(dbd, numbered("dbd13_", i))
	}
	for i := range vitalityItems {
		vitality = append(vitality, numbered("vitality_index_", i))
	}
	o.scale("dbd13", cognitiveStatus, dbd)
	o.scale("vitality_index", functionalStatus, vitality)
}

// rank observes an item that is one code.
func (o *out) rank(id, category string) {
	c, ok := o.Concept(id)
	if !ok {
		return
	}
	ob := o.observe(care.LifeObservation, category, "")
	item(ob, id)
	form.Coded(ob, "valueCodeableConcept", o.Sheet.Column(id).Codes().Table, c)
	o.put(ob, id)
}

// points is the Barthel score of an answered item.
func (o *out) points(i int) (int, bool) {
	n, err := strconv.Atoi(o.Text(barthelItems[i].id))
	if err != nil || n >= len(barthelItems[i].points) {
		return 0, false
	}
	return barthelItems[i].points[n], true
}

// total is the Barthel Index; ok is false unless all ten items are answered.
func (o *out) total() (sum int, ok bool) {
	for i := range barthelItems {
		p, answered := o.points(i)
		if !answered {
			return 0, false
		}
		sum += p
	}
	return sum, true
}

// barthel observes the Barthel Index: a panel of LOINC with its ten items.
func (o *out) barthel() {
	day := o.Date("adl_evaluate")
	var members []form.Ref
	for i, b := range barthelItems {
		points, answered := o.points(i)
		if !answered {
			continue
		}
		ob := o.observe(care.LifeObservation, functionalStatus, day)
		// LIFE's own code is that of the component only: obs-7 forbids both.
		form.Concept(ob, "code", loinc, codes.Concept{Code: b.loinc, Ja: b.display}).Set("text", b.name)
		ob.Set("valueInteger", strconv.Itoa(points))
		component := ob.Add("component")
		item(component, b.id)
		answer, _ := o.Concept(b.id)
		form.Coded(component, "valueCodeableConcept", Answers(), answer)
		members = append(members, o.put(ob, b.id))
	}
	if len(members) == 0 {
		return
	}
	panel := o.observe(care.BarthelPanelProfile, functionalStatus, day)
	form.Concept(panel, "code", loinc, codes.Concept{Code: barthelPanel, Ja: barthelPanelName}).Set("text", "Barthel Index")
	if total, ok := o.total(); ok {
		panel.Set("valueInteger", strconv.Itoa(total))
	} else {
		form.Concept(panel, "dataAbsentReason", "http://terminology.hl7.org/CodeSystem/data-absent-reason", codes.Concept{Code: "not-performed", Ja: "Not Performed"})
	}
	for _, m := range members {
		form.Link(panel, "hasMember", m)
	}
	o.put(panel, "barthel")
}

// scale observes a scale whose answers are points: a component an item, the
// sum where all are answered.
func (o *out) scale(id, category string, items []string) {
	ob := o.observe(care.LifeObservation, category, "")
	item(ob, id)
	sum, answered := 0, 0
	for _, i := range items {
		n, err := strconv.Atoi(o.Text(i))
		if err != nil {
			continue
		}
		answered++
		sum += n
		c := ob.Add("component")
		item(c, i)
		c.Set("valueInteger", strconv.Itoa(n))
	}
	if answered == 0 {
		return
	}
	if answered == len(items) {
		ob.Set("valueInteger", strconv.Itoa(sum))
	}
	o.put(ob, id)
}

// measure observes a quantity under a code of LOINC.
func (o *out) measure(name, category, code, display, text, value, unit string) form.Ref {
	ob := o.observe(care.LifeObservation, category, o.Date(nutritionDayColumn))
	if category == "body-measurement" {
		form.Concept(ob, "category", observationSystem, codes.Concept{Code: "vital-signs", Ja: "Vital Signs"})
	}
	c := form.Concept(ob, "code", loinc, codes.Concept{Code: code, Ja: display})
	if i, ok := Items().Lookup(name); ok {
		c.Add("coding").Set("system", Items().URL).Set("code", i.Code).Set("display", i.Ja)
	}
	c.Set("text", text)
	form.Quantity(ob, "valueQuantity", value, unit)
	return o.put(ob, name)
}

// body observes height, weight and, from both, the body mass index.
func (o *out) body() {
	if h := o.Text("height"); h != "" {
		o.measure("height", "body-measurement", "8302-2", "Body height", "身長", form.DecimalValue(h), "cm")
	}
	if w := o.Text("weight"); w != "" {
		o.measure("weight", "body-measurement", "29463-7", "Body weight", "体重", form.DecimalValue(w), "kg")
	}
	if bmi, ok := o.bmi(); ok {
		o.measure("bmi", "body-measurement", "39156-5", "Body mass index (BMI) [Ratio]", "BMI", bmi, "kg/m2")
	}
}

// bmi computes weight in kilograms over the square of height in metres, to one
// decimal.
func (o *out) bmi() (string, bool) {
	cm, ok1 := new(big.Rat).SetString(o.Text("height"))
	kg, ok2 := new(big.Rat).SetString(o.Text("weight"))
	if !ok1 || !ok2 || cm.Sign() <= 0 || kg.Sign() <= 0 {
		return "", false
	}
	m := new(big.Rat).Quo(cm, big.NewRat(100, 1))
	return new(big.Rat).Quo(kg, m.Mul(m, m)).FloatString(1), true
}

func (o *out) albumin() {
	if v := o.Text("serum_albumin_value"); v != "" {
		o.measure("serum_albumin_value", "laboratory", "1751-7", "Albumin [Mass/volume] in Serum or Plasma", "血清アルブミン値", form.DecimalValue(v), "g/dL")
	}
}
