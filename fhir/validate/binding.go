package validate

import (
	"strings"
	"unicode"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// binding ties an element to a value set.
// https://hl7.org/fhir/R4/terminologies.html#strength
type binding struct {
	strength string // required, extensible
	valueSet string
	max      string // value set no code may leave, "" for none
}

const (
	maxValueSetURL = coreURL + "elementdefinition-maxValueSet"
	additionalURL  = "http://hl7.org/fhir/tools/StructureDefinition/additional-binding"
)

// vitalUnits is a value set that R4 binds as required to all components of
// vital signs, though not to their values; HL7's later packages of R4, and the
// reference validator, have it extensible.
const vitalUnits = "http://hl7.org/fhir/ValueSet/ucum-vitals-common"

// maxOfBase are the maximum value sets of the bindings of R4, which the
// tables leave out.
var maxOfBase = map[string]string{
	"http://hl7.org/fhir/ValueSet/languages":      "http://hl7.org/fhir/ValueSet/all-languages",
	"http://hl7.org/fhir/ValueSet/age-units":      "http://hl7.org/fhir/ValueSet/all-time-units",
	"http://hl7.org/fhir/ValueSet/duration-units": "http://hl7.org/fhir/ValueSet/all-time-units",
	"http://hl7.org/fhir/ValueSet/distance-units": "http://hl7.org/fhir/ValueSet/all-distance-units",
}

// baseBinding compiles a binding of R4, nil where it asks nothing.
func baseBinding(b *r4.Binding) *binding {
	if b == nil {
		return nil
	}
	out := &binding{b.Strength, b.ValueSet, maxOfBase[b.ValueSet]}
	if out.strength != "required" && out.strength != "extensible" && out.max == "" {
		return nil
	}
	return out
}

// bindings compiles the binding of a definition and its additional ones,
// those left out that base has already or that ask nothing.
func bindings(def *fhir.Element, base *r4.Element) (main *binding, additional []*binding) {
	b := def.Get("binding")
	if b == nil {
		return nil, nil
	}
	main = &binding{strength: b.Text("strength"), valueSet: b.Text("valueSet")}
	for e := range b.All("extension") {
		switch e.Text("url") {
		case maxValueSetURL:
			main.max = e.Text("valueCanonical") + e.Text("valueUri")
		case additionalURL:
			if a := additionalBinding(e); a != nil {
				additional = append(additional, a)
			}
		}
	}
	if main.strength == "required" && strings.HasPrefix(main.valueSet, vitalUnits) && def.Text("path") == "Observation.component.value[x]" {
		main.strength = "extensible"
	}
	same := base != nil && base.Binding != nil && base.Binding.Strength == main.strength && base.Binding.ValueSet == main.valueSet
	if same || main.strength != "required" && main.strength != "extensible" && main.max == "" {
		main = nil
	}
	return main, additional
}

// additionalBinding reads an additional binding that always applies.
func additionalBinding(e *fhir.Element) *binding {
	part := map[string]string{}
	for c := range e.All("extension") {
		for _, v := range c.Children {
			if v.Name != "url" {
				part[c.Text("url")] = v.Value
			}
		}
		if c.Text("url") == "usage" {
			return nil
		}
	}
	if part["any"] == "true" {
		return nil
	}
	switch part["purpose"] {
	case "required", "extensible":
		return &binding{strength: part["purpose"], valueSet: part["valueSet"]}
	case "maximum":
		return &binding{strength: "max", max: part["valueSet"]}
	}
	return nil
}

// bind checks the element the run stands on against a binding.
func (r *run) bind(e *fhir.Element, b *binding) {
	codings, bare, ok := codesOf(e)
	if !ok {
		return
	}
	if len(codings) == 0 {
		if b.strength == "required" && e.Type.Name != "Quantity" {
			r.fail(fhir.CodeInvalid, "binding-no-code", fhir.Messagef(
				"A code from the value set %s is required", "値セット %s のコードが必要です", b.valueSet))
		}
		return
	}
	if b.valueSet != "" && b.strength != "max" && (b.strength == "required" || b.strength == "extensible") {
		r.member(codings, bare, b.valueSet, b.strength)
	}
	if b.max != "" {
		r.member(codings, bare, b.max, "max")
	}
}

// member reports codings that are not in a value set.
func (r *run) member(codings []terminology.Coding, bare bool, valueSet, strength string) {
	got := r.codesIn(codings, bare, valueSet)
	switch got.Verdict {
	case terminology.Unknown:
		for _, i := range got.Issues {
			if i.ID == terminology.IssueUnknownValueSet || i.ID == terminology.IssueUnknownSystem {
				r.report(fhir.Information, i.Code, i.ID, i.Message)
			}
		}
	case terminology.No:
		sev := fhir.Error
		if strength == "extensible" {
			sev = fhir.Warning
		}
		for _, i := range got.Issues {
			if i.ID == terminology.IssueNotInValueSet {
				r.report(sev, fhir.CodeInvalid, "binding-"+strength, i.Message)
			}
		}
	}
}

// codesIn asks the terminology service.
func (r *run) codesIn(codings []terminology.Coding, bare bool, valueSet string) terminology.Validation {
	req := terminology.ValidateRequest{ValueSet: valueSet, Codings: codings, InferSystem: bare}
	if id, ok := cutFragment(valueSet); ok {
		req.ValueSet, req.Resource = "", r.contained(id)
		if req.Resource == nil {
			return terminology.Validation{}
		}
	}
	got, err := r.v.tx.Validate(r.ctx, req)
	if err != nil {
		return terminology.Validation{}
	}
	return got
}

// inSet tells whether a coded element is in a value set.
func (r *run) inSet(e *fhir.Element, valueSet string) terminology.Verdict {
	codings, bare, ok := codesOf(e)
	if !ok || len(codings) == 0 {
		return terminology.No
	}
	return r.codesIn(codings, bare, valueSet).Verdict
}

// codesOf returns the codings of a coded element; bare is true for one whose
// type has no system. ok is false for an element that is not coded.
func codesOf(e *fhir.Element) (codings []terminology.Coding, bare, ok bool) {
	if e.Type == nil {
		return nil, false, false
	}
	switch e.Type.Name {
	case "CodeableConcept":
		for c := range e.All("coding") {
			if k := coding(c); k.Code != "" {
				codings = append(codings, k)
			}
		}
		return codings, false, true
	case "Coding":
		if k := coding(e); k.Code != "" {
			codings = []terminology.Coding{k}
		}
		return codings, false, true
	case "code", "string", "uri", "url", "canonical", "oid", "uuid", "id", "markdown":
		if e.Value != "" {
			codings = []terminology.Coding{{Code: e.Value}}
		}
		return codings, true, e.Value != ""
	}
	if isA(e.Type.Name, "Quantity") {
		if k := coding(e); k.Code != "" {
			codings = []terminology.Coding{{System: k.System, Code: k.Code}}
		}
		return codings, false, true
	}
	return nil, false, false
}

func coding(e *fhir.Element) terminology.Coding {
	return terminology.Coding{System: e.Text("system"), Version: e.Text("version"), Code: e.Text("code"), Display: e.Text("display")}
}

// coded checks a Coding against its code system.
func (r *run) coded(e *fhir.Element) {
	c := coding(e)
	if c.System != "" && !r.system(e, c.System) || c.System == "" || c.Code == "" {
		return
	}
	got := r.codesIn([]terminology.Coding{c}, false, "")
	for _, i := range got.Issues {
		at := e.Get("code")
		if i.ID == terminology.IssueDisplay {
			at = e.Get("display")
			if !isJapanese(c.Display) {
				i.Severity = fhir.Error
			}
		}
		r.push(at, -1)
		r.report(i.Severity, i.Code, i.ID, i.Message)
		r.pop()
	}
}

// system checks that the system of a Coding is the URI of a code system.
func (r *run) system(e *fhir.Element, system string) bool {
	if !isAbsolute(system) {
		r.failAt(e.Get("system"), fhir.Value, "system-relative", fhir.Messagef(
			"The system must be an absolute URI", "system は絶対 URI でなければなりません"))
		return false
	}
	if strings.Contains(system, "/ValueSet/") && r.v.catalog.has("ValueSet", system) {
		r.failAt(e.Get("system"), fhir.Value, "system-value-set", fhir.Messagef(
			"The system is a value set, not a code system", "system がコードシステムではなく値セットを指しています"))
		return false
	}
	return true
}

// isJapanese reports whether a text has characters of Japanese: a display in
// Japanese of a code system without Japanese displays is only worth a warning.
func isJapanese(s string) bool {
	for _, c := range s {
		if unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			return true
		}
	}
	return false
}
