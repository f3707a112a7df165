package sharing

import (
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// RoleSystem holds the roles in which an organisation is registered for a
// person: codes of EpisodeOfCare.type.
const RoleSystem = care.Canonical + "/CodeSystem/care-role"

// Role is the role of a registration.
type Role string

// The roles. Evacuation makes a municipality the one that takes the person in
// (R7). Physician is the institution asked for an opinion.
const (
	RoleCareManager  Role = "care_manager"
	RoleCareProvider Role = "care_provider"
	RolePhysician    Role = "physician"
	RoleEvacuation   Role = "evacuation"
)

// FitsKind reports whether an actor can be registered in the role.
func (r Role) FitsKind(a Actor) bool {
	switch r {
	case RoleCareManager:
		return a == CareManagerOffice
	case RoleCareProvider:
		return a == CareOffice || a == MedicalInstitution
	case RolePhysician:
		return a == MedicalInstitution
	case RoleEvacuation:
		return a == Municipality
	}
	return false
}

// Registration is the relation of an organisation to a person, as an
// EpisodeOfCare says it. https://hl7.org/fhir/R4/episodeofcare.html
type Registration struct {
	Patient, Organization string // ids
	Role                  Role
	Active                bool      // status is active
	Start, End            time.Time // half-open; zero is open
	Identified            string    // how the person was identified, "" where not
}

// InForce reports whether the registration holds at a time.
func (g *Registration) InForce(at time.Time) bool { return g.Active && within(g.Start, g.End, at) }

// Resource returns the EpisodeOfCare of the registration.
func (g *Registration) Resource() *fhir.Element {
	e := fhir.NewResource("EpisodeOfCare")
	if g.Identified != "" {
		e.Add("extension").Set("url", IdentityCheckExtension).Set("valueCode", g.Identified)
	}
	e.Set("status", "finished")
	if g.Active {
		e.Set("status", "active")
	}
	addCoding(e.Add("type"), RoleSystem, string(g.Role))
	addReference(e.Add("patient"), "Patient", g.Patient)
	addReference(e.Add("managingOrganization"), "Organization", g.Organization)
	if !g.Start.IsZero() || !g.End.IsZero() {
		period := e.Add("period")
		if !g.Start.IsZero() {
			period.Set("start", g.Start.Format(time.RFC3339))
		}
		if !g.End.IsZero() {
			period.Set("end", g.End.Add(-time.Second).Format(time.RFC3339))
		}
	}
	return e
}

// ReadRegistration reads an EpisodeOfCare. It refuses, with fhir.Issues, one
// that lacks the person, the organisation or exactly one role.
func ReadRegistration(episode *fhir.Element) (Registration, error) {
	g := Registration{
		Patient:      LocalID(episode.Get("patient"), "Patient"),
		Organization: LocalID(episode.Get("managingOrganization"), "Organization"),
		Active:       episode.Text("status") == "active",
		Identified:   IdentityCheck(episode),
	}
	var roles []string
	for t := range episode.All("type") {
		for c := range t.All("coding") {
			if c.Text("system") == RoleSystem {
				roles = append(roles, c.Text("code"))
			}
		}
	}
	known := []string{string(RoleCareManager), string(RoleCareProvider), string(RolePhysician), string(RoleEvacuation)}
	if g.Patient == "" || g.Organization == "" || len(roles) != 1 || !slices.Contains(known, roles[0]) {
		return Registration{}, registrationIssue("EpisodeOfCare.type", fhir.Messagef(
			"R5: a registration names one person, one organisation and one role of %s",
			"R5: 担当の登録には利用者・組織・役割（%s）を一つずつ指定してください", RoleSystem))
	}
	g.Role = Role(roles[0])
	start, end, err := ReadPeriod(episode.Get("period"))
	if err != nil {
		return Registration{}, registrationIssue("EpisodeOfCare.period", fhir.Messagef(
			"R5: the period cannot be read, or ends before it starts", "R5: 期間が読み取れないか、終了が開始より前です"))
	}
	g.Start, g.End = start, end
	return g, nil
}

func registrationIssue(expression string, m fhir.Message) fhir.Issues {
	return fhir.Issues{{Severity: fhir.Error, Code: fhir.BusinessRule, ID: "R5", Expression: expression, Message: m}}
}
