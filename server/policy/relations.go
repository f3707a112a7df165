package policy

import (
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// members returns the rosters a person is on at a time.
func (v *view) members(p *person, now time.Time) map[rosterKey]struct{} {
	m := map[rosterKey]struct{}{}
	put := func(organization string, a aspect, form string) {
		m[rosterKey{organization, a, form}] = struct{}{}
		m[rosterKey{organization, known, ""}] = struct{}{}
	}
	for organization := range p.authors {
		m[rosterKey{organization, known, ""}] = struct{}{}
	}
	insurers := map[string]bool{}
	for _, o := range p.insurers {
		put(o, insured, "")
		insurers[o] = true
	}
	related := map[string]bool{}
	for _, g := range p.registrations {
		if !g.InForce(now) {
			continue
		}
		put(g.Organization, roleAspect(g.Role), "")
		related[g.Organization] = true
		if g.Role == sharing.RoleEvacuation {
			insurers[g.Organization] = true
		}
	}
	c := p.consentsAt(now)
	p.familyRefused = c.familyRefused
	for organization := range c.recipients(insurers, related) {
		v.putConsent(put, c, organization, insurers[organization], related[organization])
	}
	return m
}

func roleAspect(r sharing.Role) aspect {
	switch r {
	case sharing.RoleCareManager:
		return careManaged
	case sharing.RoleCareProvider:
		return careProvided
	case sharing.RoleEvacuation:
		return evacuated
	}
	return attended
}

// putConsent puts the person on the consent rosters of an organisation. Most
// consents are to everything: then one roster serves all forms, and the
// rosters of differences stay empty.
func (v *view) putConsent(put func(string, aspect, string), c *consents, organization string, insures, related bool) {
	var open []string
	for _, f := range v.forms {
		if c.opens(organization, f, insures || related) {
			open = append(open, f)
		}
	}
	all := len(open) == len(v.forms)
	if all {
		put(organization, consented, "")
	}
	for _, f := range open {
		put(organization, consented, f)
		if insures {
			put(organization, insuredConsented, f)
		}
		if !all {
			put(organization, differs, f)
		}
	}
}

// consents are a person's consents in force.
type consents struct {
	permits, refusals []sharing.Terms
	familyRefused     bool
}

func (p *person) consentsAt(now time.Time) *consents {
	c := &consents{}
	for _, t := range p.terms {
		switch {
		case !t.InForce(now):
		case t.Family:
			c.familyRefused = true
		case t.Permit:
			c.permits = append(c.permits, t)
		default:
			c.refusals = append(c.refusals, t)
		}
	}
	return c
}

// recipients are the organisations to which some permission extends: those it
// names, and for a comprehensive one the insurers and registered organisations.
func (c *consents) recipients(insurers, related map[string]bool) map[string]bool {
	all := map[string]bool{}
	for _, t := range c.permits {
		for _, o := range t.Recipients {
			all[o] = true
		}
		if t.Comprehensive {
			for o := range insurers {
				all[o] = true
			}
			for o := range related {
				all[o] = true
			}
		}
	}
	return all
}

// opens reports whether the person's consents together open a form to an
// organisation. A refusal wins over any permission, whichever is newer, and so
// does an exception of another permission (R22).
func (c *consents) opens(organization, form string, related bool) bool {
	permitted := false
	for i := range c.permits {
		t := &c.permits[i]
		if !slices.Contains(t.Recipients, organization) && (!t.Comprehensive || !related) {
			continue
		}
		if t.Covers(form) && !t.Permits(organization, form) {
			return false
		}
		permitted = permitted || t.Permits(organization, form)
	}
	for i := range c.refusals {
		t := &c.refusals[i]
		if t.Covers(form) && (t.Recipients == nil || slices.Contains(t.Recipients, organization)) {
			return false
		}
	}
	return permitted
}

// nextChange returns the next moment after now at which a consent or a
// registration begins or ends, zero if none does.
func (p *person) nextChange(now time.Time) time.Time {
	var next time.Time
	consider := func(bounds ...time.Time) {
		for _, at := range bounds {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	for _, g := range p.registrations {
		consider(g.Start, g.End)
	}
	for _, t := range p.terms {
		consider(t.Start, t.End)
	}
	return next
}
