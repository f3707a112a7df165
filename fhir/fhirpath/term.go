package fhirpath

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// literal is a constant.
type literal struct{ v Value }

func (n literal) eval(_ *evaluation, dst Collection) (Collection, error) {
	return append(dst, n.v), nil
}

// empty is {}.
type empty struct{}

func (empty) eval(_ *evaluation, dst Collection) (Collection, error) { return dst, nil }

// this is $this, also the input of a function that has none before it.
type this struct{}

func (this) eval(ev *evaluation, dst Collection) (Collection, error) {
	if ev.this == nil {
		return dst, nil
	}
	return append(dst, ev.this), nil
}

// indexVariable is $index.
type indexVariable struct{}

func (indexVariable) eval(ev *evaluation, dst Collection) (Collection, error) {
	return append(dst, Integer(ev.index)), nil
}

// totalVariable is $total.
type totalVariable struct{}

func (totalVariable) eval(ev *evaluation, dst Collection) (Collection, error) {
	return append(dst, ev.total...), nil
}

// indexer is items[at].
type indexer struct{ items, at node }

func (n *indexer) eval(ev *evaluation, dst Collection) (Collection, error) {
	items, err := ev.collect(n.items)
	defer ev.release(items)
	if err != nil {
		return dst, err
	}
	at, ok, err := ev.integerArgument(n.at, "[]")
	if err != nil || !ok || at < 0 || int(at) >= len(items) {
		return dst, err
	}
	return append(dst, items[at]), nil
}

// constant is an environment variable: %resource, %ucum, %`vs-name`.
// https://hl7.org/fhirpath/N1/#environment-variables
// https://hl7.org/fhir/R4/fhirpath.html#variables
type constant struct{ name string }

func (n constant) eval(ev *evaluation, dst Collection) (Collection, error) {
	if c, ok := ev.env.Variables[n.name]; ok {
		return append(dst, c...), nil
	}
	switch n.name {
	case "context":
		return appendValue(dst, ev.focus), nil
	case "resource":
		return appendElement(dst, ev.env.Resource, ev.focus), nil
	case "rootResource":
		if ev.env.RootResource == nil {
			return appendElement(dst, ev.env.Resource, ev.focus), nil
		}
		return append(dst, Node{ev.env.RootResource}), nil
	case "ucum":
		return append(dst, String(ucumSystem)), nil
	case "sct":
		return append(dst, String("http://snomed.info/sct")), nil
	case "loinc":
		return append(dst, String("http://loinc.org")), nil
	}
	if name, ok := strings.CutPrefix(n.name, "vs-"); ok {
		return append(dst, String("http://hl7.org/fhir/ValueSet/"+name)), nil
	}
	if name, ok := strings.CutPrefix(n.name, "ext-"); ok {
		return append(dst, String("http://hl7.org/fhir/StructureDefinition/"+name)), nil
	}
	return dst, fault("%%%s is not defined", "%%%s は定義されていません", n.name)
}

func appendValue(dst Collection, v Value) Collection {
	if v == nil {
		return dst
	}
	return append(dst, v)
}

func appendElement(dst Collection, e *fhir.Element, fallback Value) Collection {
	if e == nil {
		return appendValue(dst, fallback)
	}
	return append(dst, Node{e})
}

// typeTest is "v is T".
type typeTest struct {
	of   node
	spec *typeSpecifier
}

func (n *typeTest) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *typeTest) truth(ev *evaluation) (truth, error) {
	v, err := ev.single(n.of, "is")
	if err != nil || v == nil {
		return unsure, err
	}
	return truthFrom(n.spec.is(v)), nil
}

// typeFilter is "v as T" or ofType(T).
type typeFilter struct {
	of     node
	spec   *typeSpecifier
	single bool // several items are an error
}

func (n *typeFilter) eval(ev *evaluation, dst Collection) (Collection, error) {
	items, err := ev.collect(n.of)
	defer ev.release(items)
	if err != nil {
		return dst, err
	}
	if n.single && len(items) > 1 {
		return dst, fault("as takes a single item, not several", "as に複数の値を渡せません")
	}
	for _, v := range items {
		if n.spec.selects(v) {
			dst = append(dst, v)
		}
	}
	return dst, nil
}
