// Package codes holds the code lists, numbers and dates that the forms of
// Japanese long-term care share, and turns them into FHIR codes and values.
package codes

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Table is a code list. Its concepts are published as a CodeSystem.
type Table struct {
	URL      string // canonical of the CodeSystem
	ID       string // last part of URL
	Name     string // for programs
	Title    string // English
	TitleJa  string
	Concepts []Concept
}

// Concept is one code of a table.
type Concept struct {
	Code string
	Ja   string // the words of the form
	En   string
}

// Lookup finds a concept by its code.
func (t *Table) Lookup(code string) (Concept, bool) {
	for _, c := range t.Concepts {
		if c.Code == code {
			return c, true
		}
	}
	return Concept{}, false
}

// Encoding is the way one form writes the codes of a table.
type Encoding struct {
	Table *Table
	// Written maps what the file says to the table's code. Nil: the same.
	Written map[string]string
	// Order lists what may be written, for messages.
	Order []string
}

// Lookup finds the concept behind what a file says.
func (e *Encoding) Lookup(written string) (Concept, bool) {
	if e.Written != nil {
		code, ok := e.Written[written]
		if !ok {
			return Concept{}, false
		}
		written = code
	} else if e.Order != nil && !in(e.Order, written) {
		return Concept{}, false
	}
	return e.Table.Lookup(written)
}

// Allowed lists what may be written with its meaning, "12 要支援1, 13 要支援2".
// Lists of more than 15 codes are cut.
func (e *Encoding) Allowed() string {
	const most = 15
	order := e.Order
	if order == nil {
		for _, c := range e.Table.Concepts {
			order = append(order, c.Code)
		}
	}
	var b strings.Builder
	for i, w := range order {
		if i == most {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		c, _ := e.Lookup(w)
		b.WriteString(w + " " + c.Ja)
	}
	return b.String()
}

// Numbered writes the concepts of a table as "1", "2", … in their order, from
// a first number on.
func Numbered(t *Table, first int, format func(n int) string) *Encoding {
	e := &Encoding{Table: t, Written: map[string]string{}}
	for i, c := range t.Concepts {
		w := format(first + i)
		e.Written[w] = c.Code
		e.Order = append(e.Order, w)
	}
	return e
}

// Same writes the codes of a table as they are.
func Same(t *Table) *Encoding { return &Encoding{Table: t} }

// Only writes some of the codes of a table as they are.
func Only(t *Table, written ...string) *Encoding { return &Encoding{Table: t, Order: written} }

func in(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func table(url, name, title, ja string, concepts ...Concept) *Table {
	return &Table{URL: url, ID: strings.TrimPrefix(url, care.Canonical+"/CodeSystem/"), Name: name, Title: title, TitleJa: ja, Concepts: concepts}
}
