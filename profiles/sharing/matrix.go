// Package sharing is the national sharing matrix as data: which kind of actor
// makes, shares, or sees with consent each form of care information, and the
// FHIR shape of the consents and registrations that decide it for a person.
package sharing

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Actor is a column of the matrix.
type Actor string

// The actors.
const (
	Person             Actor = "user"
	Municipality       Actor = "municipality"
	CareOffice         Actor = "care_office"
	CareManagerOffice  Actor = "care_manager_office"
	MedicalInstitution Actor = "medical_institution"
)

// Effect is what a cell gives.
type Effect string

// The effects: ★, ○, ◎ and blank.
const (
	Author  Effect = "author"
	Shared  Effect = "shared"
	Consent Effect = "consent"
	None    Effect = "none"
)

// Relation is how an actor must stand to a record for a cell to apply.
type Relation string

// The relations. A split cell has Author or CareProvider on one side and Other
// on the other side.
const (
	AnyRelation  Relation = "any"
	AuthorOf     Relation = "author"
	CareProvider Relation = "care_provider"
	OtherThan    Relation = "other"
)

// Named is a code with its names.
type Named struct {
	Code string `yaml:"code"`
	En   string `yaml:"en"`
	Ja   string `yaml:"ja"`
}

// Switch is a choice on a cell or rule that the sources leave open.
type Switch struct {
	Name    string `yaml:"name"`
	Default bool   `yaml:"default"`
	About   string `yaml:"about"`
}

// Cell is what one actor gets of one form under one relation.
type Cell struct {
	Actor    Actor
	Relation Relation
	Effect   Effect
	Types    []string // resource types the cell is narrowed to; nil: all
	Source   string   // document and section, as in Matrix.Documents
	Rules    []string // rules of the text behind the cell: "R16"
}

// Row is one form with its cells.
type Row struct {
	Named
	Category string   // certification, claims, life, care-plan, coordination
	Parent   string   // code of the row this form is a part of, "" for most
	Types    []string // resource types that may carry the form, sorted
	Cells    []Cell   // in the order of the actors; a split cell gives two
	// AlsoAuthors are actors that may make the form although their column
	// does not say so, under the relation given.
	AlsoAuthors []Cell
}

// Matrix is the whole matrix under a setting of its switches. It is immutable.
type Matrix struct {
	Version   string
	Documents map[string]string
	Actors    []Named
	Switches  []Switch
	Rows      []Row

	on    map[string]bool
	index map[string]int
	file  *file
}

//go:embed matrix.yaml
var embedded []byte

var national = sync.OnceValue(func() *Matrix {
	m, err := Parse(embedded)
	if err != nil {
		panic("sharing: the embedded matrix: " + err.Error())
	}
	return m
})

// National returns the embedded matrix with its switches at their defaults.
func National() *Matrix { return national() }

// With returns the matrix under other settings of some switches. It fails on
// the name of a switch that does not exist.
func (m *Matrix) With(settings map[string]bool) (*Matrix, error) {
	on := maps.Clone(m.on)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if _, known := on[name]; !known {
			return nil, fmt.Errorf("sharing: there is no switch %q", name)
		}
		on[name] = settings[name]
	}
	return m.file.matrix(on)
}

// On reports whether a switch is on; false for a switch that does not exist.
func (m *Matrix) On(name string) bool { return m.on[name] }

// Row finds a form by its code.
func (m *Matrix) Row(form string) (*Row, bool) {
	i, ok := m.index[form]
	if !ok {
		return nil, false
	}
	return &m.Rows[i], true
}

// Forms returns the codes of all forms, parts included, in order.
func (m *Matrix) Forms() []string {
	codes := make([]string, len(m.Rows))
	for i := range m.Rows {
		codes[i] = m.Rows[i].Code
	}
	return codes
}

// Cell returns the cell of an actor under a relation: the side of a split cell
// or the whole of one that is not split. It reports false for an actor or a
// side the row does not have.
func (r *Row) Cell(a Actor, rel Relation) (Cell, bool) {
	for _, c := range r.Cells {
		if c.Actor == a && (c.Relation == AnyRelation || c.Relation == rel) {
			return c, true
		}
	}
	return Cell{}, false
}

// Has returns the cells of an actor with that effect.
func (r *Row) Has(a Actor, e Effect) []Cell {
	var found []Cell
	for _, c := range r.Cells {
		if c.Actor == a && c.Effect == e {
			found = append(found, c)
		}
	}
	return found
}

// MayAuthor reports whether an actor may make the form; rel is the relation
// it must then have to the person, AnyRelation for none.
func (r *Row) MayAuthor(a Actor) (rel Relation, ok bool) {
	if len(r.Has(a, Author)) > 0 {
		return AnyRelation, true
	}
	for _, c := range r.AlsoAuthors {
		if c.Actor == a {
			return c.Relation, true
		}
	}
	return "", false
}
