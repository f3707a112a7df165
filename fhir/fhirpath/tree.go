package fhirpath

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// Tree navigation: https://hl7.org/fhirpath/N1/#tree-navigation

func children(ev *evaluation, _ *call, in, dst Collection) (Collection, error) {
	before := len(dst)
	for _, v := range in {
		n, ok := v.(Node)
		if !ok || n.Element == nil {
			continue
		}
		for _, c := range n.Children {
			dst = append(dst, Node{c})
		}
	}
	return dst, ev.step(len(dst) - before)
}

func descendants(ev *evaluation, _ *call, in, dst Collection) (Collection, error) {
	for _, v := range in {
		n, ok := v.(Node)
		if !ok || n.Element == nil {
			continue
		}
		before := len(dst)
		dst = appendDescendants(dst, n.Element)
		if err := ev.step(len(dst) - before); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendDescendants(dst Collection, e *fhir.Element) Collection {
	for _, c := range e.Children {
		dst = append(dst, Node{c})
		dst = appendDescendants(dst, c)
	}
	return dst
}
