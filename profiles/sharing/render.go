package sharing

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// cellJSON is one cell as programs read it.
type cellJSON struct {
	Form     string   `json:"form"`
	Actor    Actor    `json:"actor"`
	Relation Relation `json:"relation"`
	Effect   Effect   `json:"effect"`
	Types    []string `json:"types,omitempty"`
	Source   string   `json:"source"`
	Rules    []string `json:"rules,omitempty"`
}

// JSON returns the matrix as an array of its cells: form, actor, relation (any,
// author, other, care_provider), effect (author, shared, consent, none) and
// source, with resource types and rules where a cell has them.
func (m *Matrix) JSON() []byte {
	var cells []cellJSON
	for i := range m.Rows {
		for _, c := range m.Rows[i].Cells {
			cells = append(cells, cellJSON{m.Rows[i].Code, c.Actor, c.Relation, c.Effect, c.Types, c.Source, c.Rules})
		}
	}
	out, err := json.MarshalIndent(cells, "", "  ")
	if err != nil {
		panic("sharing: " + err.Error()) // strings only: cannot fail
	}
	return append(out, '\n')
}

var marks = map[Effect]string{Author: "★", Shared: "○", Consent: "◎", None: "–"}

// Markdown returns the matrix as a table for people, with the legend, the
// switches and the rules.
func (m *Matrix) Markdown() string {
	var b strings.Builder
	b.WriteString("| 様式 Form | code |")
	for _, a := range m.Actors {
		fmt.Fprintf(&b, " %s %s |", a.Ja, a.En)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(m.Actors)) + "\n")
	for i := range m.Rows {
		r := &m.Rows[i]
		fmt.Fprintf(&b, "| %s %s | `%s` |", r.Ja, r.En, r.Code)
		for _, a := range m.Actors {
			fmt.Fprintf(&b, " %s |", r.markdownCell(Actor(a.Code)))
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n★ makes it and sees its own · ○ sees it when related to the person · ◎ sees it with the person's consent · – not shared\n")
	b.WriteString("\nDocuments\n\n")
	for _, key := range slices.Sorted(maps.Keys(m.Documents)) {
		fmt.Fprintf(&b, "- %s: %s\n", key, m.Documents[key])
	}
	b.WriteString("\nSwitches\n\n")
	for _, s := range m.Switches {
		fmt.Fprintf(&b, "- `%s` (default %s): %s\n", s.Name, onOff(s.Default), s.About)
	}
	b.WriteString("\nRules\n\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "- %s %s %s (%s)\n", r.Number, r.En, r.Ja, r.Source)
	}
	return b.String()
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// relationNames are how a split cell names its sides.
var relationNames = map[Relation]string{AuthorOf: "author", CareProvider: "care provider", OtherThan: "others"}

func (r *Row) markdownCell(a Actor) string {
	var sides, ruled []string
	for _, c := range r.Cells {
		if c.Actor != a {
			continue
		}
		side := marks[c.Effect]
		if c.Relation != AnyRelation {
			side += " " + relationNames[c.Relation]
		}
		if len(c.Types) > 0 {
			side += " (" + strings.Join(c.Types, ", ") + ")"
		}
		sides = append(sides, side)
		for _, rule := range c.Rules {
			if !slices.Contains(ruled, rule) {
				ruled = append(ruled, rule)
			}
		}
	}
	text := strings.Join(sides, " ∣ ")
	if len(ruled) > 0 {
		text += " " + strings.Join(ruled, " ")
	}
	return text
}

// CodeSystem returns the code system of the forms, parts below their row.
// https://hl7.org/fhir/R4/codesystem.html
func (m *Matrix) CodeSystem() *fhir.Element {
	cs := fhir.NewResource("CodeSystem")
	cs.Set("id", "care-form").Set("url", care.FormSystem).Set("version", m.Version).Set("name", "CareForm")
	cs.Set("title", "介護情報の様式 Forms of care information").Set("status", "active").Set("experimental", "false")
	cs.Set("publisher", "kaigofhir").Set("description", "The rows of the national sharing matrix (介護情報の共有の範囲).")
	cs.Set("caseSensitive", "true").Set("valueSet", care.Canonical+"/ValueSet/care-form").Set("hierarchyMeaning", "part-of").Set("content", "complete")
	concepts := map[string]*fhir.Element{"": cs}
	for i := range m.Rows {
		r := &m.Rows[i]
		c := concepts[r.Parent].Add("concept").Set("code", r.Code).Set("display", r.Ja).Set("definition", r.En)
		concepts[r.Code] = c
	}
	return cs
}
