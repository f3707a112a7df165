package policy

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// Standing is how a caller stands to a record and to the person it is about.
type Standing struct {
	Author        bool // made the record
	Self          bool // is the person, or acts for the person
	Family        bool // acts as family
	FamilyRefused bool // the person refused the family (R12)
	Insurer       bool // insures the person
	Evacuation    bool // is the municipality that took the person in
	CareManager   bool // registered for the person as care manager office
	CareProvider  bool // registered for the person as provider of care
	// Consent tells that the person's consent to show this form to the caller
	// is active and no refusal stands against it.
	Consent bool
	// Withheld tells that the physician refused the opinion's use (R15).
	Withheld bool
	// Emergency tells that the caller states the purpose of an emergency (R36).
	Emergency bool
}

// Question is one question to Decide.
type Question struct {
	Kind         Kind
	Form         string
	ResourceType string
	Standing
}

// Decision is an answer, with the rules that led to it.
type Decision struct {
	Allowed bool
	Cell    sharing.Cell // the cell of the matrix; zero where none applies
	Rules   []string     // "R6", in the order they were met
}

// Decide tells whether a caller may see a record. It is a pure function of the
// matrix and the question.
func Decide(m *sharing.Matrix, q Question) Decision {
	var d Decision
	row, ok := m.Row(q.Form)
	switch {
	case !ok:
		return d.deny("R1")
	case q.Author:
		d.Cell, _ = row.Cell(sharing.Actor(q.Kind), sharing.AuthorOf)
		return d.allow("R3")
	case q.Kind == Prefecture:
		return d.deny("R8")
	}
	side := sharing.OtherThan
	if q.CareProvider {
		side = sharing.CareProvider
	}
	if d.Cell, ok = row.Cell(sharing.Actor(q.Kind), side); !ok {
		// a split between author and others has no care_provider side
		if d.Cell, ok = row.Cell(sharing.Actor(q.Kind), sharing.OtherThan); !ok {
			return d.deny("R4")
		}
	}
	d.Rules = slices.Clone(d.Cell.Rules)
	if len(d.Cell.Types) > 0 && !slices.Contains(d.Cell.Types, q.ResourceType) {
		return d.deny("R11")
	}
	switch q.Kind {
	case Person:
		return q.person(d)
	case Municipality:
		return q.municipality(d)
	}
	return q.office(m, d)
}

func (d Decision) allow(rules ...string) Decision {
	d.Allowed, d.Rules = true, unique(append(d.Rules, rules...))
	return d
}

func (d Decision) deny(rules ...string) Decision {
	d.Allowed, d.Rules = false, unique(append(d.Rules, rules...))
	return d
}

func unique(rules []string) []string {
	var u []string
	for _, r := range rules {
		if !slices.Contains(u, r) {
			u = append(u, r)
		}
	}
	return u
}

// person decides for the person's own client: what is shared, and what is only
// new (◎), needs no consent record of the person to itself.
func (q *Question) person(d Decision) Decision {
	switch {
	case !q.Self:
		return d.deny("R5")
	case q.Family && q.FamilyRefused:
		return d.deny("R12")
	case d.Cell.Effect == sharing.Shared || d.Cell.Effect == sharing.Consent:
		return d.allow("R10")
	}
	return d.deny()
}

func (q *Question) municipality(d Decision) Decision {
	switch {
	case !q.Insurer && !q.Evacuation:
		return d.deny("R6")
	case d.Cell.Effect == sharing.Shared && q.Insurer:
		return d.allow("R6")
	case (d.Cell.Effect == sharing.Shared || d.Cell.Effect == sharing.Author) && q.Evacuation:
		return d.allow("R7")
	case d.Cell.Effect == sharing.Consent:
		return q.consent(d)
	}
	return d.deny()
}

func (q *Question) office(m *sharing.Matrix, d Decision) Decision {
	opens := d.Cell.Effect == sharing.Shared || d.Cell.Effect == sharing.Consent
	if opens && q.Emergency && q.Kind == MedicalInstitution && m.On("break-glass") {
		return d.allow("R36")
	}
	switch d.Cell.Effect {
	case sharing.Shared:
		if related(q.Kind, q.Standing) {
			return d.allow("R5")
		}
		return d.deny("R5")
	case sharing.Consent:
		return q.consent(d)
	}
	return d.deny()
}

// consent decides a ◎ cell. The consent itself is the relation (R5).
func (q *Question) consent(d Decision) Decision {
	switch {
	case q.Withheld:
		return d.deny("R15")
	case q.Consent:
		return d.allow("R21")
	}
	return d.deny("R22", "R26")
}

// related reports whether an office is registered for the person in the role
// that its kind of office has.
func related(k Kind, s Standing) bool {
	switch k {
	case CareManagerOffice:
		return s.CareManager
	case CareOffice, MedicalInstitution:
		return s.CareProvider
	}
	return false
}
