package policy

import (
	"context"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Explain tells whether a caller may see a resource with these labels and
// which rules led to it. It agrees with Visibility, scopes apart, for
// resources of a care form; for others only the rules R5 and R6 are told.
func (p *Policy) Explain(ctx context.Context, c Caller, resourceType string, l search.Labels) (Decision, error) {
	d, err := p.ExplainAll(ctx, c, []Item{{resourceType, l}})
	if err != nil {
		return Decision{}, err
	}
	return d[0], nil
}

// Item is one resource to explain.
type Item struct {
	Type   string
	Labels search.Labels
}

// ExplainAll is Explain for several resources at one moment.
func (p *Policy) ExplainAll(ctx context.Context, c Caller, items []Item) ([]Decision, error) {
	decisions := make([]Decision, len(items))
	if !c.Unrestricted {
		p.view.mu.Lock()
		defer p.view.mu.Unlock()
		if err := p.view.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	for i := range items {
		decisions[i] = p.explain(&c, &items[i])
	}
	return decisions, nil
}

// explain decides on one resource. The caller holds the view's mu.
func (p *Policy) explain(c *Caller, item *Item) Decision {
	if c.Unrestricted {
		return Decision{Allowed: true}
	}
	form := baseForm(item.Labels.Form)
	if form == "" {
		return p.view.explainFormless(c, item.Type, item.Labels)
	}
	return Decide(p.matrix, Question{Kind: c.Kind, Form: form, ResourceType: item.Type,
		Standing: p.view.standing(c, item.Labels)})
}

// Overview tells for every form what an organisation or a person's client may
// see of a person's records made by others, each by its most telling resource
// type: what the operation $sharing answers with.
func (p *Policy) Overview(ctx context.Context, c Caller, patient string) ([]Decision, error) {
	decisions := make([]Decision, 0, len(p.matrix.Rows))
	for i := range p.matrix.Rows {
		d, err := p.Explain(ctx, c, "DocumentReference", search.Labels{Form: p.matrix.Rows[i].Code, Patients: []string{patient}})
		if err != nil {
			return nil, err
		}
		decisions = append(decisions, d)
	}
	return decisions, nil
}

// standing works out how a caller stands to a record. Of several patients the
// nearest relation counts, as in the predicate. The caller holds mu.
func (v *view) standing(c *Caller, l search.Labels) Standing {
	form := baseForm(l.Form)
	s := Standing{
		Author:    l.Author != "" && l.Author == c.author(),
		Family:    c.Acting == AsFamily,
		Withheld:  strings.HasSuffix(l.Form, withheldMark),
		Emergency: c.Purpose == Emergency,
	}
	on := func(patient string, a aspect, form string) bool {
		r := v.rosters[rosterKey{c.Organization, a, form}]
		return c.Organization != "" && r != nil && r.contains(patient)
	}
	for _, id := range l.Patients {
		s.Self = s.Self || c.Kind == Person && id == c.Patient
		s.Insurer = s.Insurer || on(id, insured, "")
		s.Evacuation = s.Evacuation || on(id, evacuated, "")
		s.CareManager = s.CareManager || on(id, careManaged, "")
		s.CareProvider = s.CareProvider || on(id, careProvided, "")
		s.Consent = s.Consent || on(id, consented, form)
	}
	if p := v.people[c.Patient]; s.Family && p != nil {
		s.FamilyRefused = p.familyRefused
		s.Author = s.Author && !p.familyRefused
	}
	return s
}

func (v *view) explainFormless(c *Caller, resourceType string, l search.Labels) Decision {
	var d Decision
	s := v.standing(c, l)
	switch {
	case slices.Contains(publicTypes, resourceType):
		return d.allow()
	case s.Author:
		return d.allow("R3")
	case c.Kind == Person && s.Self && slices.Contains(ofPerson, resourceType):
		if s.FamilyRefused {
			return d.deny("R12")
		}
		return d.allow("R10")
	case resourceType == "Patient":
		return v.explainPatient(c, l)
	case c.Kind == Municipality && s.Insurer && slices.Contains(ofInsurer, resourceType):
		return d.allow("R6")
	}
	return d.deny("R5")
}

func (v *view) explainPatient(c *Caller, l search.Labels) Decision {
	var d Decision
	for _, id := range l.Patients {
		r := v.rosters[rosterKey{c.Organization, known, ""}]
		if isOffice(c.Kind) && r != nil && r.contains(id) {
			return d.allow("R5")
		}
	}
	if c.Kind == MedicalInstitution && c.Purpose == Emergency && v.matrix.On("break-glass") {
		return d.allow("R36")
	}
	if c.Kind == Municipality {
		return d.deny("R6")
	}
	return d.deny("R5")
}
