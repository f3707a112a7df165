package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// questionnaire checks that conditions ask for questions that can have been
// answered. https://hl7.org/fhir/R4/questionnaire.html
func (r *run) questionnaire(e *fhir.Element) {
	all := map[string]*fhir.Element{}
	e.Walk(func(c *fhir.Element) bool {
		if c.Name == "item" {
			all[c.Text("linkId")] = c
		}
		return c == e || c.Name == "item"
	})
	r.eachItem(e, func(item *fhir.Element) {
		for when := range item.All("enableWhen") {
			r.condition(item, when, all)
		}
	})
}

// eachItem visits the items below the element the run stands on, the run
// standing on each.
func (r *run) eachItem(e *fhir.Element, visit func(*fhir.Element)) {
	i := 0
	for item := range e.All("item") {
		r.push(item, i)
		visit(item)
		r.eachItem(item, visit)
		r.pop()
		i++
	}
}

func (r *run) condition(item, when *fhir.Element, all map[string]*fhir.Element) {
	asked := when.Text("question")
	target := all[asked]
	switch {
	case asked == "":
	case target == nil:
		r.fail(fhir.Invalid, "questionnaire-enable-when", fhir.Messagef(
			"The condition asks for an item '%s' that does not exist", "条件が参照する項目 '%s' がありません", asked))
	case target == item:
		r.fail(fhir.Invalid, "questionnaire-enable-when", fhir.Messagef(
			"An item must not depend on itself", "項目の条件に自分自身は使えません"))
	case within(item, target):
		r.fail(fhir.Invalid, "questionnaire-enable-when", fhir.Messagef(
			"An item must not depend on an item inside it", "項目の条件に自分の内側の項目は使えません"))
	}
}

// within tells whether an element lies below another.
func within(e, inner *fhir.Element) bool {
	found := false
	e.Walk(func(c *fhir.Element) bool {
		found = found || c == inner
		return !found
	})
	return found
}

// extensionOf finds an extension by its URL, whole or by its last part.
func extensionOf(e *fhir.Element, url string) *fhir.Element {
	for x := range e.All("extension") {
		if u := x.Text("url"); u == url || strings.HasSuffix(u, "/"+url) {
			return x
		}
	}
	return nil
}

// valueOf returns the value[x] of an element, nil where it has none.
func valueOf(e *fhir.Element) *fhir.Element {
	if e == nil {
		return nil
	}
	for _, c := range e.Children {
		if strings.HasPrefix(c.Name, "value") && c.Name != "value" {
			return c
		}
	}
	return nil
}
