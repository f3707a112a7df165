package fhirpath

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// The functions FHIR adds: https://hl7.org/fhir/R4/fhirpath.html#functions

// extension keeps the extensions with that URL.
func extension(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	url, ok, err := ev.argText(c, 0)
	if err != nil || !ok {
		return dst, err
	}
	for _, v := range in {
		n, ok := v.(Node)
		if !ok || n.Element == nil {
			continue
		}
		for e := range n.All("extension") {
			if e.Text("url") == url {
				dst = append(dst, Node{e})
			}
		}
	}
	return dst, nil
}

// hasExtension is extension(url).exists(); no specification lists it, but
// search parameters of R4 use it (QuestionnaireResponse item-subject).
func hasExtension(ev *evaluation, c *call, in Collection) (truth, error) {
	found, err := extension(ev, c, in, ev.scratch())
	defer ev.release(found)
	return truthFrom(len(found) > 0), err
}

// hasValue is true for a single primitive that has a value.
func hasValue(_ *evaluation, _ *call, in Collection) (truth, error) {
	if len(in) != 1 {
		return no, nil
	}
	return truthFrom(hasPrimitive(in[0])), nil
}

func hasPrimitive(v Value) bool {
	n, ok := v.(Node)
	return ok && n.Element != nil && n.Kind != fhir.None
}

// getValue returns the System value of a single primitive.
func getValue(_ *evaluation, _ *call, in, dst Collection) (Collection, error) {
	if len(in) != 1 || !hasPrimitive(in[0]) {
		return dst, nil
	}
	return append(dst, System(in[0])), nil
}

// notAvailable refuses what needs definitions this package does not have.
func notAvailable(_ *evaluation, c *call, _, dst Collection) (Collection, error) {
	return dst, noHook(c.name + "()")
}

// checkModifiers is an error where a modifier extension is none of those named.
func checkModifiers(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	var known []string
	for i := range c.args {
		url, _, err := ev.argText(c, i)
		if err != nil {
			return dst, err
		}
		known = append(known, url)
	}
	for n := range in.Nodes() {
		for e := range n.All("modifierExtension") {
			if !slices.Contains(known, e.Text("url")) {
				return dst, fault("there is a modifier extension that is not understood", "解釈できない modifierExtension があります")
			}
		}
	}
	return append(dst, in...), nil
}

func conformsTo(ev *evaluation, c *call, in Collection) (truth, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return unsure, err
	}
	profile, ok, err := ev.argText(c, 0)
	if err != nil || !ok {
		return unsure, err
	}
	n, isNode := v.(Node)
	if !isNode {
		return no, nil
	}
	if ev.env.ConformsTo == nil {
		return unsure, noHook("conformsTo()")
	}
	conforms, err := ev.env.ConformsTo(n.Element, profile)
	if err != nil {
		return unsure, hookError("conformsTo()", err)
	}
	return truthFrom(conforms), nil
}

func memberOf(ev *evaluation, c *call, in Collection) (truth, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return unsure, err
	}
	valueSet, ok, err := ev.argText(c, 0)
	if err != nil || !ok {
		return unsure, err
	}
	if ev.env.MemberOf == nil {
		return unsure, noHook("memberOf()")
	}
	member, err := ev.env.MemberOf(v, valueSet)
	if err != nil {
		return unsure, hookError("memberOf()", err)
	}
	return truthFrom(member), nil
}

func subsumes(ev *evaluation, c *call, in Collection) (truth, error) {
	return subsumption(ev, c, in, func(a, b *fhir.Element) (bool, error) { return ev.env.Subsumes(a, b) })
}

func subsumedBy(ev *evaluation, c *call, in Collection) (truth, error) {
	return subsumption(ev, c, in, func(a, b *fhir.Element) (bool, error) { return ev.env.Subsumes(b, a) })
}

func subsumption(ev *evaluation, c *call, in Collection, ask func(a, b *fhir.Element) (bool, error)) (truth, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return unsure, err
	}
	w, err := ev.single(c.args[0], c.name)
	if err != nil || w == nil {
		return unsure, err
	}
	a, okA := v.(Node)
	b, okB := w.(Node)
	if !okA || !okB {
		return unsure, fault("%s takes Codings", "%s には Coding が要ります", c.name)
	}
	if ev.env.Subsumes == nil {
		return unsure, noHook(c.name + "()")
	}
	answer, err := ask(a.Element, b.Element)
	if err != nil {
		return unsure, hookError(c.name+"()", err)
	}
	return truthFrom(answer), nil
}

// systemName names the System type a FHIR primitive type converts to.
func systemName(t *r4.Type) string {
	if t.Kind != r4.Primitive {
		return ""
	}
	switch t.Name {
	case "boolean":
		return "Boolean"
	case "integer", "positiveInt", "unsignedInt":
		return "Integer"
	case "decimal":
		return "Decimal"
	case "date":
		return "Date"
	case "dateTime", "instant":
		return "DateTime"
	case "time":
		return "Time"
	}
	return "String"
}
