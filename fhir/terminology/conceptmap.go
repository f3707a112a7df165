package terminology

import (
	"context"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// conceptMap is a ConceptMap in a form made for questions.
// https://hl7.org/fhir/R4/conceptmap.html
type conceptMap struct {
	url, source, target string
	groups              []mapGroup
}

type mapGroup struct {
	source, target Coding // System and Version of the codes
	elements       []mapElement
	unmapped       unmapped
}

type mapElement struct {
	source  Coding
	targets []mapTarget
}

type mapTarget struct {
	equivalence, comment string
	coding               Coding
}

// unmapped says what becomes of codes the group does not list.
type unmapped struct {
	mode, other string // provided, fixed, other-map
	fixed       Coding
}

func newConceptMap(r *fhir.Element) *conceptMap {
	cm := &conceptMap{url: r.Text("url"), source: choiceText(r, "source"), target: choiceText(r, "target")}
	for g := range r.All("group") {
		group := mapGroup{
			source:   Coding{System: g.Text("source"), Version: g.Text("sourceVersion")},
			target:   Coding{System: g.Text("target"), Version: g.Text("targetVersion")},
			unmapped: unmapped{mode: g.Text("unmapped", "mode"), other: g.Text("unmapped", "url")},
		}
		group.unmapped.fixed = Coding{System: group.target.System, Code: g.Text("unmapped", "code"), Display: g.Text("unmapped", "display")}
		for e := range g.All("element") {
			group.elements = append(group.elements, newMapElement(e, &group))
		}
		cm.groups = append(cm.groups, group)
	}
	return cm
}

func newMapElement(e *fhir.Element, g *mapGroup) mapElement {
	el := mapElement{source: Coding{System: g.source.System, Version: g.source.Version, Code: e.Text("code"), Display: e.Text("display")}}
	for t := range e.All("target") {
		el.targets = append(el.targets, mapTarget{
			equivalence: t.Text("equivalence"),
			comment:     t.Text("comment"),
			coding:      Coding{System: g.target.System, Version: g.target.Version, Code: t.Text("code"), Display: t.Text("display")},
		})
	}
	return el
}

func choiceText(r *fhir.Element, name string) string {
	return r.Text(name+"Uri") + r.Text(name+"Canonical")
}

// Translate implements Service.
func (m *Memory) Translate(_ context.Context, req TranslateRequest) (Translation, error) {
	maps, err := m.mapsFor(req)
	if err != nil {
		return Translation{}, err
	}
	var out Translation
	for _, cm := range maps {
		out.Matches = append(out.Matches, m.translateBy(cm, req, 0)...)
	}
	for _, match := range out.Matches {
		if match.Equivalence != "unmatched" && match.Equivalence != "disjoint" {
			out.Found = true
		}
	}
	return out, nil
}

// mapsFor finds the maps a request is about.
func (m *Memory) mapsFor(req TranslateRequest) ([]*conceptMap, error) {
	switch {
	case req.Resource != nil:
		return []*conceptMap{newConceptMap(req.Resource)}, nil
	case req.URL != "":
		cm, ok := m.conceptMap(req.URL)
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrUnknownMap, req.URL)
		}
		return []*conceptMap{cm}, nil
	}
	var out []*conceptMap
	for _, url := range m.maps {
		if cm, ok := m.conceptMap(url); ok && cm.fits(req) {
			out = append(out, cm)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: none from %s to %s", ErrUnknownMap, req.Coding.System, req.TargetSystem+req.Target)
	}
	return out, nil
}

func (m *Memory) conceptMap(canonical string) (*conceptMap, bool) {
	return m.mapped.get(m.held("ConceptMap", canonical))
}

// fits reports whether a map leads from the source to the target asked for.
func (cm *conceptMap) fits(req TranslateRequest) bool {
	source, target := req.Source, req.Target
	if req.Reverse {
		source, target = target, source
	}
	if source != "" && !sameCanonical(source, cm.source) || target != "" && !sameCanonical(target, cm.target) {
		return false
	}
	for _, g := range cm.groups {
		from, to := g.source.System, g.target.System
		if req.Reverse {
			from, to = to, from
		}
		if from == req.Coding.System && (req.TargetSystem == "" || req.TargetSystem == to) {
			return true
		}
	}
	return false
}

func sameCanonical(a, b string) bool {
	a, _ = cutVersion(a)
	b, _ = cutVersion(b)
	return a == b
}

// maxMaps bounds a chain of "other-map" references.
const maxMaps = 8

// translateBy reads one map.
func (m *Memory) translateBy(cm *conceptMap, req TranslateRequest, depth int) []Match {
	var out []Match
	for i := range cm.groups {
		g := &cm.groups[i]
		if req.Reverse {
			out = append(out, g.reverse(cm, req)...)
			continue
		}
		if g.source.System != "" && g.source.System != req.Coding.System || req.TargetSystem != "" && g.target.System != req.TargetSystem {
			continue
		}
		out = append(out, m.forward(cm, g, req, depth)...)
	}
	return out
}

func (m *Memory) forward(cm *conceptMap, g *mapGroup, req TranslateRequest, depth int) []Match {
	var out []Match
	listed := false
	for _, e := range g.elements {
		if e.source.Code != req.Coding.Code {
			continue
		}
		listed = true
		for _, t := range e.targets {
			out = append(out, Match{t.equivalence, t.coding, cm.url, t.comment})
		}
	}
	if listed {
		return out
	}
	switch g.unmapped.mode {
	case "provided":
		same := req.Coding
		same.System = g.target.System
		return []Match{{"equal", same, cm.url, ""}}
	case "fixed":
		return []Match{{"inexact", g.unmapped.fixed, cm.url, ""}}
	case "other-map":
		if other, ok := m.conceptMap(g.unmapped.other); ok && depth < maxMaps {
			return m.translateBy(other, req, depth+1)
		}
	}
	return nil
}

// reverse reads a group from target to source.
func (g *mapGroup) reverse(cm *conceptMap, req TranslateRequest) []Match {
	if g.target.System != "" && g.target.System != req.Coding.System || req.TargetSystem != "" && g.source.System != req.TargetSystem {
		return nil
	}
	var out []Match
	for _, e := range g.elements {
		for _, t := range e.targets {
			if t.coding.Code == req.Coding.Code {
				out = append(out, Match{invert(t.equivalence), e.source, cm.url, t.comment})
			}
		}
	}
	return out
}

// invert turns the direction of an equivalence.
func invert(equivalence string) string {
	const pairs = " wider=narrower narrower=wider subsumes=specializes specializes=subsumes "
	if _, rest, ok := strings.Cut(pairs, " "+equivalence+"="); ok {
		turned, _, _ := strings.Cut(rest, " ")
		return turned
	}
	return equivalence
}
