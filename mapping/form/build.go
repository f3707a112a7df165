package form

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
)

// New returns a resource that comes from a form: labelled with the form's code
// in meta.security and claiming our profile.
func New(resourceType, profile, formCode string) *fhir.Element {
	r := fhir.NewResource(resourceType)
	meta := r.Add("meta")
	meta.Add("profile").SetValue(profile)
	if c, ok := codes.Forms().Lookup(formCode); ok {
		meta.Add("security").Set("system", codes.Forms().URL).Set("code", formCode).Set("display", c.Ja)
	}
	return r
}

// Identify appends an identifier.
func Identify(e *fhir.Element, system, value string) {
	e.Add("identifier").Set("system", system).Set("value", value)
}

// Link adds a reference.
func Link(e *fhir.Element, name string, ref Ref) *fhir.Element {
	return e.Add(name).Set("reference", ref.URN).Set("display", ref.Display)
}

// Concept adds a CodeableConcept of one coding.
func Concept(e *fhir.Element, name, system string, c codes.Concept) *fhir.Element {
	cc := e.Add(name)
	cc.Add("coding").Set("system", system).Set("code", c.Code).Set("display", c.Ja)
	return cc
}

// Coded adds a CodeableConcept of a table's concept.
func Coded(e *fhir.Element, name string, table *codes.Table, c codes.Concept) *fhir.Element {
	return Concept(e, name, table.URL, c)
}

// Words adds a CodeableConcept that is only text, or nothing for no text.
func Words(e *fhir.Element, name, text string) {
	if text != "" {
		e.Add(name).Set("text", text)
	}
}

// Period adds a period, or nothing where both ends are unknown.
func Period(e *fhir.Element, name, start, end string) {
	if start != "" || end != "" {
		e.Add(name).Set("start", start).Set("end", end)
	}
}

// Quantity adds a quantity with a UCUM unit.
func Quantity(e *fhir.Element, name, value, unit string) {
	e.Add(name).Set("value", value).Set("unit", unit).Set("system", "http://unitsofmeasure.org").Set("code", unit)
}

// Units adds a quantity in benefit units (単位) a month.
func Units(e *fhir.Element, name, value string) {
	u, _ := codes.BenefitUnits().Lookup("unit-per-month")
	e.Add(name).Set("value", value).Set("unit", u.Ja).Set("system", codes.BenefitUnits().URL).Set("code", u.Code)
}

// Extend adds an extension, whose value the caller sets.
func Extend(e *fhir.Element, url string) *fhir.Element { return e.Add("extension").Set("url", url) }

// ExtendValue adds an extension with a primitive value, or nothing where the
// value is unknown.
func ExtendValue(e *fhir.Element, url, property, value string) {
	if value != "" {
		Extend(e, url).Set(property, value)
	}
}
