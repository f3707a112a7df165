package interaction

import (
	"net/url"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Shape is which part of a resource is asked for.
// https://hl7.org/fhir/R4/search.html#summary
type Shape struct {
	Summary  string   // "", true, text, data, count, false
	Elements []string // top-level element names
}

// ShapeOf reads _summary and _elements of a raw query string.
func ShapeOf(rawQuery string) (Shape, error) {
	var s Shape
	if rawQuery == "" {
		return s, nil
	}
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return s, badParameter("")
	}
	s.Summary = values.Get("_summary")
	switch s.Summary {
	case "", "true", "text", "data", "count", "false":
	default:
		return s, badParameter("_summary")
	}
	for _, list := range values["_elements"] {
		for name := range strings.SplitSeq(list, ",") {
			if name != "" {
				s.Elements = append(s.Elements, name)
			}
		}
	}
	return s, nil
}

// Whole reports that nothing is left out.
func (s Shape) Whole() bool {
	return len(s.Elements) == 0 && (s.Summary == "" || s.Summary == "false")
}

// Apply returns the part of an encoded resource, marked SUBSETTED.
func (s Shape) Apply(json []byte) ([]byte, error) {
	if s.Whole() || json == nil {
		return json, nil
	}
	e, err := decodeStored(json)
	if err != nil {
		return nil, err
	}
	s.Cut(e)
	return fhirjson.Append(nil, e), nil
}

// Cut leaves out what was not asked for and marks the rest SUBSETTED.
func (s Shape) Cut(e *fhir.Element) {
	if s.Whole() {
		return
	}
	e.Children = slices.DeleteFunc(e.Children, func(c *fhir.Element) bool { return !s.keeps(c) })
	if len(s.Elements) == 0 && s.Summary == "true" {
		for _, c := range e.Children {
			summarize(c)
		}
	}
	tagSubsetted(e)
}

// keeps decides on a top-level element. id, meta and mandatory elements always
// stay, so that the rest is still a resource.
func (s Shape) keeps(c *fhir.Element) bool {
	if c.Name == "id" || c.Name == "meta" || c.Name == "implicitRules" || c.Def != nil && c.Def.Min > 0 {
		return true
	}
	if len(s.Elements) > 0 {
		return slices.Contains(s.Elements, c.Name) || c.Def != nil && slices.Contains(s.Elements, c.Def.Name)
	}
	switch s.Summary {
	case "true":
		return c.Def != nil && c.Def.Summary
	case "text":
		return c.Name == "text"
	case "data":
		return c.Name != "text"
	}
	return true
}

// summarize leaves out the parts of backbone elements that are not in the
// summary. Data types stay whole: their elements are marked as such.
func summarize(e *fhir.Element) {
	if e.Type == nil || e.Type.Kind != r4.Backbone {
		return
	}
	e.Children = slices.DeleteFunc(e.Children, func(c *fhir.Element) bool {
		return c.Def == nil || !c.Def.Summary && c.Def.Min == 0
	})
	for _, c := range e.Children {
		summarize(c)
	}
}

const subsettedSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

// tagSubsetted marks an incomplete resource, so that nobody writes it back.
func tagSubsetted(e *fhir.Element) {
	meta := e.Get("meta")
	if meta == nil {
		meta = e.Add("meta")
	}
	for tag := range meta.All("tag") {
		if tag.Text("code") == "SUBSETTED" && tag.Text("system") == subsettedSystem {
			return
		}
	}
	meta.Add("tag").Set("system", subsettedSystem).Set("code", "SUBSETTED")
}

// outcomeJSON encodes issues as an OperationOutcome.
func outcomeJSON(issues fhir.Issues, lang fhir.Language) []byte {
	return fhirjson.Append(nil, fhir.Outcome(issues, lang))
}
