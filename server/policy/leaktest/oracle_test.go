package leaktest

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// The sharing matrix by hand: user, municipality, care office, care manager
// office, medical institution. ★ author, ○ related, ◎ consent, – nothing; two
// signs are author|others or care provider|others; f is the feedback sheet
// only. Nothing here is taken from the server.
var matrix = map[string][5]string{
	"certification-survey":      {"–", "★", "–", "◎", "–"},
	"physician-opinion":         {"–", "○", "–", "◎", "★◎"},
	"insured-card":              {"○", "★", "○", "○", "○◎"},
	"burden-ratio-card":         {"○", "★", "○", "○", "○–"},
	"certification-application": {"★", "○", "–", "–", "–"},
	"benefit-management-sheet":  {"○", "○", "–", "★", "–"},
	"home-service-claim-detail": {"○", "○", "★", "–", "–"},
	"life-feedback":             {"◎f", "◎f", "★◎", "◎", "◎"},
	"home-care-plan":            {"○", "◎", "○", "★", "◎"},
	"facility-care-plan":        {"○", "◎", "★○", "○", "◎"},
	"visiting-nursing-order":    {"–", "–", "–", "–", "★–"},

	"burden-limit-card":               {"○", "★", "○", "○", "○–"},
	"care-management-claim-detail":    {"○", "○", "–", "★", "–"},
	"service-claims":                  {"○", "○", "★", "–", "–"},
	"care-benefit-invoice":            {"○", "○", "★", "–", "–"},
	"community-project-invoice":       {"○", "○", "★", "–", "–"},
	"preventive-service-claim-detail": {"○", "○", "★", "–", "–"},
	"community-project-claim-detail":  {"○", "○", "★", "–", "–"},
	"facility-service-claim-detail":   {"○", "○", "★", "–", "–"},
	"rehabilitation-order":            {"–", "–", "–", "–", "★–"},
	"visiting-nursing-plan":           {"–", "–", "★–", "–", "–"},
	"visiting-nursing-report":         {"–", "–", "★–", "–", "–"},
	"hospital-admission-information":  {"–", "–", "★–", "★–", "–"},
}

var columns = []string{"user", "municipality", "care_office", "care_manager_office", "medical_institution"}

// consentForms are the forms with a ◎ for some organisation.
var consentForms = []string{"certification-survey", "physician-opinion", "insured-card", "life-feedback", "home-care-plan", "facility-care-plan"}

// world is what is the case, in plain values.
type world struct {
	now       time.Time
	clock     atomic.Int64 // now in nanoseconds, for the server, whose jobs run beside the test
	people    []string     // Patient ids
	offices   []office
	cards     []*card
	episodes  []*episode
	consents  []*consent
	records   []*record
	hasAuthor map[[2]string]bool // organisation, person: it ever made a record about the person
}

// pass lets time go by, for the world and for its server.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.clock.Store(w.now.UnixNano())
}

type office struct{ id, kind string }

// card makes a municipality the insurer of a person.
type card struct {
	id, person, town string
	active           bool
}

type episode struct {
	id, person, office, role string
	active                   bool
	end                      time.Time // zero: open
}

type consent struct {
	id, person, taker     string
	active, permit        bool
	comprehensive, family bool
	offices, forms        []string // nil: all
	exceptForms           []string // refused within a permission
	end                   time.Time
}

type record struct {
	id, typ, form, person, author, mark string
	inside                              string   // mark of a contained Observation, "" for none
	refs                                []string // of a Composition
	withheld, deleted                   bool
	versions                            int
}

// viewer is a caller.
type viewer struct {
	client, kind, office, person string
	family                       bool
}

func (w *world) inForce(active bool, end time.Time) bool {
	return active && (end.IsZero() || w.now.Before(end))
}

func (w *world) insures(town, person string) bool {
	return slices.ContainsFunc(w.cards, func(c *card) bool { return c.active && c.person == person && c.town == town })
}

// registered reports whether an office is registered for a person in one of
// the roles; none given: in any.
func (w *world) registered(office, person string, roles ...string) bool {
	for _, e := range w.episodes {
		if w.inForce(e.active, e.end) && e.office == office && e.person == person && (len(roles) == 0 || slices.Contains(roles, e.role)) {
			return true
		}
	}
	return false
}

func (w *world) consented(office, person, form string) bool {
	permitted := false
	for _, c := range w.consents {
		if c.person != person || c.family || !w.inForce(c.active, c.end) {
			continue
		}
		about := c.forms == nil || slices.Contains(c.forms, form)
		switch {
		case !c.permit:
			if about && (c.offices == nil || slices.Contains(c.offices, office)) {
				return false
			}
		case slices.Contains(c.offices, office), c.comprehensive && (w.insures(office, person) || w.registered(office, person)):
			if about && slices.Contains(c.exceptForms, form) {
				return false
			}
			permitted = permitted || about
		}
	}
	return permitted
}

func (w *world) familyRefused(person string) bool {
	return slices.ContainsFunc(w.consents, func(c *consent) bool { return c.family && c.person == person && w.inForce(c.active, c.end) })
}

// sees is the oracle for a record.
func (w *world) sees(v viewer, r *record) bool {
	if v.kind == "user" {
		if r.person != v.person || v.family && w.familyRefused(v.person) {
			return false
		}
		mark := matrix[r.form][0]
		return r.author == "Patient/"+v.person || mark == "○" || mark == "◎f" && r.typ == "DocumentReference"
	}
	if r.author == v.office {
		return true
	}
	mark := matrix[r.form][slices.Index(columns, v.kind)]
	if strings.HasSuffix(mark, "f") && r.typ != "DocumentReference" {
		return false
	}
	signs := []rune(strings.TrimSuffix(mark, "f"))
	sign := signs[len(signs)-1]
	switch v.kind {
	case "municipality":
		return w.townSees(v, r, sign)
	case "medical_institution":
		if signs[0] == '○' && w.registered(v.office, r.person, "care_provider") {
			return true
		}
	}
	switch sign {
	case '○':
		role := map[string]string{"care_office": "care_provider", "care_manager_office": "care_manager"}[v.kind]
		return w.registered(v.office, r.person, role)
	case '◎':
		return !r.withheld && w.consented(v.office, r.person, r.form)
	}
	return false
}

func (w *world) townSees(v viewer, r *record, sign rune) bool {
	insurer, shelter := w.insures(v.office, r.person), w.registered(v.office, r.person, "evacuation")
	switch sign {
	case '★':
		return shelter
	case '○':
		return insurer || shelter
	case '◎':
		return (insurer || shelter) && !r.withheld && w.consented(v.office, r.person, r.form)
	}
	return false
}

// seesPerson is the oracle for a Patient.
func (w *world) seesPerson(v viewer, person string) bool {
	if v.kind == "user" {
		return v.person == person && (!v.family || !w.familyRefused(person))
	}
	if w.insures(v.office, person) || w.registered(v.office, person) || w.hasAuthor[[2]string{v.office, person}] {
		return true
	}
	return slices.ContainsFunc(consentForms, func(f string) bool { return w.consented(v.office, person, f) })
}

// seesEpisode and seesConsent are the oracles for relations.
func (w *world) seesEpisode(v viewer, e *episode) bool { return w.seesRelation(v, e.person, e.office) }

func (w *world) seesConsent(v viewer, c *consent) bool {
	named := c.taker
	if c.permit && len(c.offices) == 1 {
		named = c.offices[0]
	}
	return w.seesRelation(v, c.person, named)
}

func (w *world) seesRelation(v viewer, person, named string) bool {
	if v.kind == "user" {
		return v.person == person && (!v.family || !w.familyRefused(person))
	}
	return named == v.office || v.kind == "municipality" && w.insures(v.office, person)
}

// visible returns "Type/id" of everything of a type a viewer sees, sorted.
func (w *world) visible(v viewer, typ string) []string {
	var keys []string
	switch typ {
	case "Patient":
		for _, p := range w.people {
			if w.seesPerson(v, p) {
				keys = append(keys, "Patient/"+p)
			}
		}
	case "EpisodeOfCare":
		for _, e := range w.episodes {
			if w.seesEpisode(v, e) {
				keys = append(keys, "EpisodeOfCare/"+e.id)
			}
		}
	case "Consent":
		for _, c := range w.consents {
			if w.seesConsent(v, c) {
				keys = append(keys, "Consent/"+c.id)
			}
		}
	}
	for _, r := range w.records {
		if r.typ == typ && !r.deleted && w.sees(v, r) {
			keys = append(keys, r.key())
		}
	}
	slices.Sort(keys)
	return keys
}

func (r *record) key() string { return r.typ + "/" + r.id }
