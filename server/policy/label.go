package policy

import (
	"context"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// Label determines the labels of a resource about to be written: its care
// form, the patients it is about (references in it are already local, "Patient/1")
// and its author. previous are the labels of the version it replaces, nil for
// a create; an author never changes.
//
// The author label of a Consent or an EpisodeOfCare is the organisation it
// names, so that this organisation sees it whoever wrote it; that of an
// AuditEvent is empty. A record a person's client writes has the author
// "Patient/id".
//
// Errors are fhir.Issues: what is wrong with the content, with the rule's
// number as ID. Nothing is asked of unrestricted callers.
func (p *Policy) Label(ctx context.Context, c Caller, resource *fhir.Element, previous *search.Labels) (search.Labels, error) {
	t := resource.ResourceType()
	l := search.Labels{Patients: subjects(resource), Author: c.author()}
	if previous != nil {
		l.Author = previous.Author
	} else if c.Unrestricted && l.Author == "" {
		l.Author = namedAuthor(resource)
	}
	if !formless(t) {
		form, err := p.form(resource)
		if err != nil && !c.Unrestricted {
			return search.Labels{}, err
		}
		l.Form = form
	}
	switch t {
	case "AuditEvent":
		l.Author = ""
	case "Consent", "EpisodeOfCare":
		return p.labelRelation(ctx, c, resource, l)
	}
	if c.Unrestricted {
		return l, nil
	}
	return l, p.checkLabels(c, resource, l)
}

// form reads the form label from meta.security.
func (p *Policy) form(resource *fhir.Element) (string, error) {
	form, withheld := "", false
	for s := range at(resource, "meta", "security") {
		code := s.Text("code")
		switch s.Text("system") {
		case sharing.RestrictionSystem:
			withheld = withheld || code == sharing.PhysicianWithheld
		case care.FormSystem:
			if _, ok := p.matrix.Row(code); !ok {
				return "", refusal(fhir.CodeInvalid, "R1", "meta.security", fhir.Messagef(
					"R1: %q is not a form of the sharing matrix", "R1: %q は共有の対象となる様式ではありません", code))
			}
			if form != "" && form != code {
				return "", refusal(fhir.BusinessRule, "R1", "meta.security", fhir.Messagef(
					"R1: a record belongs to one form, not to %q and %q", "R1: 記録は一つの様式に属します（%q と %q の両方が指定されています）", form, code))
			}
			form = code
		}
	}
	if form != "" && (withheld || refusedByPhysician(resource)) {
		form += withheldMark
	}
	return form, nil
}

// refusedByPhysician reports whether the physician's box on the record itself
// says no.
func refusedByPhysician(resource *fhir.Element) bool {
	for x := range resource.All("extension") {
		if x.Text("url") == care.PhysicianConsentExt && x.Text("valueBoolean") == "false" {
			return true
		}
	}
	return false
}

// checkLabels refuses content whose labels would be unclear or untrue.
func (p *Policy) checkLabels(c Caller, resource *fhir.Element, l search.Labels) error {
	t := resource.ResourceType()
	_, ofPatients := r4.Compartment("Patient", t)
	ofPatients = ofPatients || t == "Bundle"
	switch {
	case slices.Contains(publicTypes, t):
		return checkPublic(resource)
	case formless(t):
		return nil
	case l.Form == "" && (ofPatients || len(l.Patients) > 0):
		return refusal(fhir.BusinessRule, "R1", t+".meta.security", fhir.Messagef(
			"R1: a record about a person carries the code of its care form in meta.security", "R1: 利用者に関する記録には meta.security に様式コードが必要です"))
	case l.Form != "" && (len(l.Patients) > 1 || ofPatients && len(l.Patients) == 0):
		return refusal(fhir.BusinessRule, "R5", t, fhir.Messagef(
			"R5: a record of a care form is about exactly one person", "R5: 様式に属する記録は、ただ一人の利用者に関するものでなければなりません"))
	}
	if path := foreignAuthor(resource, c.Organization); path != "" {
		return refusal(fhir.Security, "R3", path, fhir.Messagef(
			"R3: the record names another organisation as its maker than the one this access token belongs to",
			"R3: 記録の作成者として、このアクセストークンの組織とは別の組織が指定されています"))
	}
	return nil
}

// checkPublic refuses a resource that every caller can see but that speaks of
// a person, and an Organization without a kind.
func checkPublic(resource *fhir.Element) error {
	t, personal := resource.ResourceType(), false
	resource.Walk(func(e *fhir.Element) bool {
		inner := e != resource && e.ResourceType() != "" && !slices.Contains(publicTypes, e.ResourceType())
		personal = personal || inner || e.Name == "reference" && strings.HasPrefix(e.Value, "Patient/")
		return !personal
	})
	if personal {
		return refusal(fhir.BusinessRule, "R5", t, fhir.Messagef(
			"R5: %s is visible to everybody and must not refer to a person", "R5: %s は全員に見えるため、利用者を参照できません", t))
	}
	if t == "Organization" && !isOffice(organizationKind(resource)) {
		return refusal(fhir.BusinessRule, "R4", "Organization.type", fhir.Messagef(
			"R4: an organisation has a kind from %s", "R4: 組織には種別（%s）が必要です", care.OrganizationKindSystem))
	}
	return nil
}

// labelRelation labels a Consent or EpisodeOfCare with the organisation it
// names. Of a refusal only who took it learns.
func (p *Policy) labelRelation(ctx context.Context, c Caller, resource *fhir.Element, l search.Labels) (search.Labels, error) {
	var named []string
	var err error
	if resource.ResourceType() == "Consent" {
		var t sharing.Terms
		t, err = p.matrix.ReadConsent(resource)
		l.Author, named = t.Taker, t.Recipients
		if t.Permit && len(t.Recipients) == 1 {
			l.Author = t.Recipients[0]
		}
		if t.Taker != "" {
			named = append(slices.Clone(named), t.Taker)
		}
	} else {
		var g sharing.Registration
		g, err = sharing.ReadRegistration(resource)
		l.Author, named = g.Organization, []string{g.Organization}
		if err == nil && !c.Unrestricted {
			err = p.checkRole(ctx, c, g)
		}
	}
	if c.Unrestricted {
		return l, nil
	}
	if err != nil {
		return search.Labels{}, err
	}
	for _, o := range named {
		kind, err := p.kindOf(ctx, c, o)
		if err != nil {
			return search.Labels{}, err
		}
		if !isOffice(kind) {
			return search.Labels{}, refusal(fhir.BusinessRule, "R4", resource.ResourceType(), fhir.Messagef(
				"R4: the organisation named has no known kind", "R4: 指定された組織の種別が登録されていません"))
		}
	}
	return l, nil
}

// checkRole refuses a registration in a role the organisation's kind cannot have.
func (p *Policy) checkRole(ctx context.Context, c Caller, g sharing.Registration) error {
	kind, err := p.kindOf(ctx, c, g.Organization)
	if err != nil {
		return err
	}
	if isOffice(kind) && !g.Role.FitsKind(sharing.Actor(kind)) {
		return refusal(fhir.BusinessRule, "R5", "EpisodeOfCare.type", fhir.Messagef(
			"R5: an organisation of kind %s cannot have the role %s", "R5: 種別 %s の組織は役割 %s で登録できません", kind, g.Role))
	}
	return nil
}

// kindOf returns the kind of an organisation: of the caller's from its token,
// of another from its Organization in the store.
func (p *Policy) kindOf(ctx context.Context, c Caller, organization string) (Kind, error) {
	if organization == c.Organization {
		return c.Kind, nil
	}
	p.view.mu.Lock()
	defer p.view.mu.Unlock()
	if err := p.view.catchUp(ctx); err != nil {
		return "", err
	}
	return p.view.kinds[organization], nil
}
