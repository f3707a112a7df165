package terminology

import (
	"context"
	"fmt"
)

// Lookup implements Service.
func (m *Memory) Lookup(_ context.Context, req LookupRequest) (Concept, error) {
	cs, ok := m.system(withVersion(req.System, req.Version))
	if !ok {
		return m.lookupGrammar(req)
	}
	i, ok := cs.find(req.Code)
	if !ok {
		err := ErrUnknownCode
		if !cs.complete() {
			err = ErrUnknownSystem
		}
		return Concept{}, fmt.Errorf("%w: %s in %s", err, req.Code, req.System)
	}
	c := &cs.concepts[i]
	out := Concept{
		System: cs.url, SystemName: cs.name, Version: cs.version,
		Code: c.code, Display: c.displayIn(cs.language, req.Language), Definition: c.definition,
		Abstract: c.abstract, Inactive: c.inactive,
		Designations: c.designations, Properties: c.properties,
	}
	for _, code := range cs.codes(c.parents) {
		out.Properties = append(out.Properties[:len(out.Properties):len(out.Properties)], Property{"parent", "code", code})
	}
	for _, code := range cs.codes(c.children) {
		out.Properties = append(out.Properties[:len(out.Properties):len(out.Properties)], Property{"child", "code", code})
	}
	return out, nil
}

func (m *Memory) lookupGrammar(req LookupRequest) (Concept, error) {
	g, ok := grammars()[req.System]
	if !ok {
		return Concept{}, fmt.Errorf("%w: %s", ErrUnknownSystem, req.System)
	}
	display, ok := g(req.Code)
	if !ok {
		return Concept{}, fmt.Errorf("%w: %s in %s", ErrUnknownCode, req.Code, req.System)
	}
	if display == "" {
		display = req.Code
	}
	return Concept{System: req.System, Code: req.Code, Display: display}, nil
}

// Subsumes implements Service.
func (m *Memory) Subsumes(_ context.Context, req SubsumesRequest) (Subsumption, error) {
	cs, ok := m.system(withVersion(req.System, req.Version))
	if !ok {
		return "", fmt.Errorf("%w: %s", ErrUnknownSystem, req.System)
	}
	a, okA := cs.find(req.A)
	b, okB := cs.find(req.B)
	switch {
	case !okA || !okB:
		code := req.A
		if okA {
			code = req.B
		}
		return "", fmt.Errorf("%w: %s in %s", ErrUnknownCode, code, req.System)
	case a == b:
		return Equivalent, nil
	case cs.isA(b, a):
		return SubsumesB, nil
	case cs.isA(a, b):
		return SubsumedByB, nil
	}
	return NotSubsumed, nil
}
