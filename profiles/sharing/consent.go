package sharing

import (
	"slices"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// The codes of consents and registrations.
const (
	// IdentityCheckExtension tells how the person, or the representative, was
	// identified (R24): a valueCode on Consent.verification and on
	// EpisodeOfCare. It never holds a number.
	IdentityCheckExtension = care.Canonical + "/StructureDefinition/identity-check"
	// ConsentCategorySystem holds the two kinds of consent.
	ConsentCategorySystem = care.Canonical + "/CodeSystem/care-consent"
	// OfficeConsent is taken by an office for the recipients it names (R21).
	OfficeConsent = "office"
	// ComprehensiveConsent is taken once, mostly by the municipality at the
	// application; its recipients are the person's insurer and, at any time, the
	// organisations registered for the person.
	ComprehensiveConsent = "comprehensive"
	// RestrictionSystem holds codes of meta.security that take something away.
	RestrictionSystem = care.Canonical + "/CodeSystem/care-restriction"
	// PhysicianWithheld marks an opinion, and each part of it, whose physician
	// refused its use for care planning (R15).
	PhysicianWithheld = "physician-withheld"
)

// The ways a person is identified, values of IdentityCheckExtension.
const (
	ByMyNumberCard   = "my-number-card"
	InPerson         = "in-person"
	ByRepresentative = "representative" // the representative's identity and authority were checked
)

const (
	participationSystem = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	roleSystem          = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
	informationRecip    = "IRCP"
	familyMember        = "FAMMEMB"
)

// Terms is what a Consent says about sharing.
// https://hl7.org/fhir/R4/consent.html
type Terms struct {
	Patient string // Patient id
	Taker   string // Organization id that took it, "" where the person gave it directly
	Active  bool   // status is active
	// Permit is the effect on the recipients; false is a refusal (opt-out).
	Permit        bool
	Comprehensive bool
	// Recipients are Organization ids. A refusal without any is against every
	// organisation.
	Recipients []string
	// Family makes the refusal one against the person's family (R12).
	Family bool
	// Forms the terms are about, parts named one by one; nil for all.
	Forms []string
	// Except are what a permission leaves out (R22).
	Except     []Exception
	Start, End time.Time // half-open; zero is open
	Identified string    // value of IdentityCheckExtension, "" where not checked
}

// Exception is a refusal inside a permission: of forms (nil: all) to
// organisations (nil: all recipients).
type Exception struct{ Forms, Recipients []string }

// Covers reports whether the terms are about a form.
func (t *Terms) Covers(form string) bool { return covers(t.Forms, form) }

// Permits reports whether a permission, its exceptions counted, opens a form
// to an organisation that is one of its recipients.
func (t *Terms) Permits(organization, form string) bool {
	if !t.Permit || !t.Covers(form) {
		return false
	}
	for _, x := range t.Except {
		if covers(x.Forms, form) && covers(x.Recipients, organization) {
			return false
		}
	}
	return true
}

func covers(list []string, s string) bool { return list == nil || slices.Contains(list, s) }

// InForce reports whether the terms hold at a time.
func (t *Terms) InForce(at time.Time) bool { return t.Active && within(t.Start, t.End, at) }

func within(start, end, at time.Time) bool {
	return !at.Before(start) && (end.IsZero() || at.Before(end))
}

// Resource returns the Consent that says the terms.
func (t *Terms) Resource() *fhir.Element {
	c := fhir.NewResource("Consent")
	c.Set("status", "inactive")
	if t.Active {
		c.Set("status", "active")
	}
	addCoding(c.Add("scope"), "http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
	category := OfficeConsent
	if t.Comprehensive {
		category = ComprehensiveConsent
	}
	addCoding(c.Add("category"), ConsentCategorySystem, category)
	addReference(c.Add("patient"), "Patient", t.Patient)
	if t.Taker != "" {
		addReference(c.Add("organization"), "Organization", t.Taker)
	}
	addCoding(c.Add("policyRule"), "http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN")
	if t.Identified != "" {
		v := c.Add("verification").Set("verified", "true")
		v.Add("extension").Set("url", IdentityCheckExtension).Set("valueCode", t.Identified)
	}
	p := c.Add("provision")
	addProvision(p, t.Permit, t.Forms, t.Recipients)
	if !t.Start.IsZero() || !t.End.IsZero() {
		period := p.Add("period")
		if !t.Start.IsZero() {
			period.Set("start", t.Start.Format(time.RFC3339))
		}
		if !t.End.IsZero() { // the end of a FHIR period is inclusive
			period.Set("end", t.End.Add(-time.Second).Format(time.RFC3339))
		}
	}
	if t.Family {
		a := p.Add("actor")
		addCoding(a.Add("role"), roleSystem, familyMember)
		addReference(a.Add("reference"), "Patient", t.Patient)
	}
	for _, x := range t.Except {
		addProvision(p.Add("provision"), false, x.Forms, x.Recipients)
	}
	return c
}

func addProvision(p *fhir.Element, permit bool, forms, recipients []string) {
	p.Set("type", "deny")
	if permit {
		p.Set("type", "permit")
	}
	for _, r := range recipients {
		a := p.Add("actor")
		addCoding(a.Add("role"), participationSystem, informationRecip)
		addReference(a.Add("reference"), "Organization", r)
	}
	for _, f := range forms {
		p.Add("securityLabel").Set("system", care.FormSystem).Set("code", f)
	}
}

func addCoding(concept *fhir.Element, system, code string) {
	concept.Add("coding").Set("system", system).Set("code", code)
}

func addReference(ref *fhir.Element, resourceType, id string) {
	ref.Set("reference", resourceType+"/"+id)
}

// LocalID returns the id of a local reference to a resource of that type, ""
// for anything else.
func LocalID(ref *fhir.Element, resourceType string) string {
	rest, ok := strings.CutPrefix(ref.Text("reference"), resourceType+"/")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/_history/")
	if strings.ContainsAny(id, "/#") {
		return ""
	}
	return id
}

func hasCoding(concept *fhir.Element, system, code string) bool {
	for c := range concept.All("coding") {
		if c.Text("system") == system && c.Text("code") == code {
			return true
		}
	}
	return false
}
