package policy

import (
	"context"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// withheldMark is appended to the form label of a record whose physician
// refused its use (R15): only grants that do not rest on consent name it.
const withheldMark = "#" + sharing.PhysicianWithheld

// Visibility returns the mandatory predicate of a caller: what it may see at
// this moment. A caller without a scope for anything sees nothing.
func (p *Policy) Visibility(ctx context.Context, c Caller) (search.Must, error) {
	if c.Unrestricted {
		return search.Must{Unrestricted: true}, nil
	}
	p.view.mu.Lock()
	defer p.view.mu.Unlock()
	if err := p.view.catchUp(ctx); err != nil {
		return search.Must{}, err
	}
	key := c.key()
	if m, ok := p.view.answers[key]; ok {
		return m, nil
	}
	m := p.visibility(&c)
	if len(p.view.answers) >= maxAnswers {
		clear(p.view.answers)
	}
	p.view.answers[key] = m
	return m, nil
}

// maxAnswers bounds the remembered answers of Visibility.
const maxAnswers = 4096

// callerKey tells callers apart as far as Visibility does. Scopes are never
// changed, so that their address stands for them; the key keeps it in use.
type callerKey struct {
	kind                  Kind
	organization, patient string
	acting                Acting
	purpose               string
	scopes                *Scope
	count                 int
}

func (c *Caller) key() callerKey {
	k := callerKey{c.Kind, c.Organization, c.Patient, c.Acting, c.Purpose, nil, len(c.Scopes.requested)}
	if k.count > 0 {
		k.scopes = &c.Scopes.requested[0]
	}
	return k
}

// visibility works the predicate out. The caller holds the view's mu.
func (p *Policy) visibility(c *Caller) search.Must {
	g := &granter{matrix: p.matrix, view: p.view, caller: c}
	switch {
	case c.Kind == Person && c.Patient != "" && c.Organization == "":
		g.person()
	case isOffice(c.Kind) && c.Organization != "":
		g.organization()
	default:
		return search.Must{}
	}
	g.add(search.Grant{Types: publicTypes})
	return search.Must{Any: c.Scopes.narrow(g.grants)}
}

func isOffice(k Kind) bool {
	return k == Municipality || k == CareOffice || k == CareManagerOffice || k == MedicalInstitution
}

// granter collects the grants of one caller, forms with the same patients and
// types in one grant.
type granter struct {
	matrix *sharing.Matrix
	view   *view
	caller *Caller
	grants []search.Grant
}

func (g *granter) add(grant search.Grant) { g.grants = append(g.grants, grant) }

// open adds a form to the grant with these patients and types.
func (g *granter) open(row *sharing.Row, patients search.Patients, types []string, withheldToo bool) {
	if patients != nil && patients.Len() == 0 {
		return
	}
	forms := []string{row.Code}
	if withheldToo && withholdable(row) {
		forms = append(forms, row.Code+withheldMark)
	}
	for i := range g.grants {
		have := &g.grants[i]
		if have.Patients == patients && len(have.Forms) > 0 && len(have.Authors) == 0 && slices.Equal(have.Types, types) {
			have.Forms = append(have.Forms, forms...)
			return
		}
	}
	g.add(search.Grant{Types: types, Forms: forms, Patients: patients})
}

// withholdable reports whether a physician may refuse the use of the form.
func withholdable(row *sharing.Row) bool {
	for _, c := range row.Cells {
		if slices.Contains(c.Rules, "R15") {
			return true
		}
	}
	return false
}

// person grants what a person's own client sees.
func (g *granter) person() {
	c := g.caller
	if p := g.view.people[c.Patient]; c.Acting == AsFamily && p != nil && p.familyRefused {
		return
	}
	self := onePatient(c.Patient)
	g.add(search.Grant{Authors: []string{c.author()}})
	g.add(search.Grant{Types: ofPerson, Patients: self})
	for i := range g.matrix.Rows {
		row := &g.matrix.Rows[i]
		for _, cell := range row.Cells {
			if cell.Actor == sharing.Person && (cell.Effect == sharing.Shared || cell.Effect == sharing.Consent) {
				g.open(row, self, cell.Types, true)
			}
		}
	}
}

// organization grants what an organisation of one of the four kinds sees.
func (g *granter) organization() {
	c := g.caller
	g.add(search.Grant{Authors: []string{c.Organization}})
	if known := g.roster(known, ""); known.Len() > 0 {
		g.add(search.Grant{Types: []string{"Patient"}, Patients: known})
	}
	if c.Kind == Municipality {
		if own := g.roster(insured, ""); own.Len() > 0 {
			g.add(search.Grant{Types: ofInsurer, Patients: own})
		}
	}
	for i := range g.matrix.Rows {
		row := &g.matrix.Rows[i]
		for _, cell := range row.Cells {
			if cell.Actor != sharing.Actor(c.Kind) {
				continue
			}
			if c.Kind == Municipality {
				g.municipality(row, cell)
			} else {
				g.office(row, cell)
			}
		}
	}
	if g.breaksGlass() {
		g.add(search.Grant{Types: []string{"Patient"}})
	}
}

func (g *granter) roster(a aspect, form string) search.Patients {
	return g.view.patients(rosterKey{g.caller.Organization, a, form})
}

// consented returns the patients whose consent opens the form: the roster of
// all forms, which others share, unless somebody treats this one differently.
func (g *granter) consented(form string) search.Patients {
	if g.roster(differs, form).Len() == 0 {
		return g.roster(consented, "")
	}
	return g.roster(consented, form)
}

func (g *granter) municipality(row *sharing.Row, cell sharing.Cell) {
	switch cell.Effect {
	case sharing.Shared:
		g.open(row, g.roster(insured, ""), cell.Types, true)
		g.open(row, g.roster(evacuated, ""), cell.Types, true)
	case sharing.Author:
		g.open(row, g.roster(evacuated, ""), cell.Types, true)
	case sharing.Consent:
		g.open(row, g.roster(insuredConsented, row.Code), cell.Types, false)
	}
}

func (g *granter) office(row *sharing.Row, cell sharing.Cell) {
	switch cell.Effect {
	case sharing.Shared:
		g.open(row, g.registered(), cell.Types, true)
	case sharing.Consent:
		g.open(row, g.consented(row.Code), cell.Types, false)
	default:
		return
	}
	if g.breaksGlass() && cell.Relation != sharing.CareProvider {
		g.open(row, nil, cell.Types, true)
	}
}

// registered returns the patients for whom the office is registered in the
// role that its kind has.
func (g *granter) registered() search.Patients {
	if g.caller.Kind == CareManagerOffice {
		return g.roster(careManaged, "")
	}
	return g.roster(careProvided, "")
}

// breaksGlass reports whether the caller sees without relation and consent, in
// an emergency (R36).
func (g *granter) breaksGlass() bool {
	return g.caller.Kind == MedicalInstitution && g.caller.Purpose == Emergency && g.matrix.On("break-glass")
}

// baseForm returns the form of a form label.
func baseForm(label string) string {
	form, _, _ := strings.Cut(label, "#")
	return form
}
