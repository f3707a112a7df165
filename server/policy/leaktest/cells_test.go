package leaktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// cells is the sharing matrix by hand, one line a form, with the actors of the
// test below as columns. The marks are those of the sources: ★ author, ○
// shared, ◎ with consent, – nothing; two marks are what the author and what
// others have, or what an institution that delivers care has and others; f is
// the feedback sheet only; m in the last column: makes the form where it
// delivers care. It is not read from matrix.yaml.
const cells = `
form                             person family insurer municipality care_office care_manager_office medical_institution
certification-survey             –      –      ★       ★            –           ◎                   –
physician-opinion                –      –      ○       ○            –           ◎                   ★◎
insured-card                     ○      ○      ★       ★            ○           ○                   ○◎
burden-ratio-card                ○      ○      ★       ★            ○           ○                   ○–
burden-limit-card                ○      ○      ★       ★            ○           ○                   ○–
certification-application        ★      ★      ○       ○            –           –                   –
benefit-management-sheet         ○      ○      ○       ○            –           ★                   –
care-management-claim-detail     ○      ○      ○       ○            –           ★                   –
service-claims                   ○      ○      ○       ○            ★           –                   m–
care-benefit-invoice             ○      ○      ○       ○            ★           –                   m–
community-project-invoice        ○      ○      ○       ○            ★           –                   m–
home-service-claim-detail        ○      ○      ○       ○            ★           –                   m–
preventive-service-claim-detail  ○      ○      ○       ○            ★           –                   m–
community-project-claim-detail   ○      ○      ○       ○            ★           –                   m–
facility-service-claim-detail    ○      ○      ○       ○            ★           –                   m–
life-feedback                    ◎f     ◎f     ◎f      ◎f           ★◎          ◎                   ◎
home-care-plan                   ○      ○      ◎       ◎            ○           ★                   ◎
facility-care-plan               ○      ○      ◎       ◎            ★○          ○                   ◎
visiting-nursing-order           –      –      –       –            –           –                   ★–
rehabilitation-order             –      –      –       –            –           –                   ★–
visiting-nursing-plan            –      –      –       –            ★–          –                   –
visiting-nursing-report          –      –      –       –            ★–          –                   –
hospital-admission-information   –      –      –       –            ★–          ★–                  –
`

// observed are the forms of which there is an Observation, too.
var observed = []string{"certification-survey", "physician-opinion", "life-feedback", "visiting-nursing-plan", "visiting-nursing-report", "hospital-admission-information"}

// The callers of each column and who makes records in their stead where the
// record is somebody else's.
var (
	actors = []string{"person", "family", "insurer", "municipality", "care_office", "care_manager_office", "medical_institution"}
	// standIn makes the records of the others, by column.
	standIn = map[string]string{"insurer": "thirdtown", "care_office": "otheroffice", "care_manager_office": "othermanager", "medical_institution": "otherclinic"}
	offices = []office{{"town", "municipality"}, {"sheltertown", "municipality"}, {"thirdtown", "municipality"},
		{"office", "care_office"}, {"otheroffice", "care_office"}, {"manager", "care_manager_office"}, {"othermanager", "care_manager_office"},
		{"clinic", "medical_institution"}, {"otherclinic", "medical_institution"}}
	officeOf = map[string]string{"insurer": "town", "municipality": "sheltertown", "care_office": "office",
		"care_manager_office": "manager", "medical_institution": "clinic"}
)

// The relations of the offices to a person, and the states of the consent. Half
// of the forms are refused in each of the two states of refusal, so that each
// form is refused in one and open in the other.
var (
	relations = []string{"none", "author", "registered", "care provider"}
	consents  = []string{"none", "active", "withdrawn, family refused", "but the first half", "but the second half"}
)

// subject is a person in one relation and one state of consent.
type subject struct{ id, relation, consent string }

// sheet is a record of the test.
type sheet struct {
	id, typ, form string
	author        string // an office, or "" for the person
	person        string
}

func (r *sheet) key() string { return r.typ + "/" + r.id }

// grid is a server whose clock stands, the people and their records.
type grid struct {
	*system
	marks    map[string]map[string]string
	forms    []string
	subjects []subject
	sheets   map[string][]*sheet // by person
	papers   map[string]string   // Composition by person: refers to all of the person's records
}

func newGrid(t *testing.T) *grid {
	t.Helper()
	g := &grid{marks: map[string]map[string]string{}, sheets: map[string][]*sheet{}, papers: map[string]string{}}
	lines := strings.Split(strings.TrimSpace(cells), "\n")
	if got := strings.Fields(lines[0])[1:]; !slices.Equal(got, actors) {
		t.Fatalf("the table has the columns %v", got)
	}
	for _, line := range lines[1:] {
		f := strings.Fields(line)
		g.forms = append(g.forms, f[0])
		g.marks[f[0]] = map[string]string{}
		for i, a := range actors {
			g.marks[f[0]][a] = f[i+1]
		}
	}
	var viewers []viewer
	for _, o := range offices {
		viewers = append(viewers, viewer{client: o.id, kind: o.kind, office: o.id})
	}
	for _, relation := range relations {
		for _, consent := range consents {
			id := fmt.Sprintf("p%02d", len(g.subjects))
			g.subjects = append(g.subjects, subject{id, relation, consent})
			viewers = append(viewers, viewer{client: "person-" + id, kind: "user", person: id}, viewer{client: "family-" + id, kind: "user", person: id, family: true})
		}
	}
	g.system = newSystem(t, &world{now: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}, viewers)
	for _, o := range offices {
		g.put("operator", organization(o))
	}
	for _, s := range g.subjects {
		g.settle(s)
	}
	return g
}

// settle brings a person into the world: everybody is related at first, so
// that everybody can write, and then those who shall not be are not.
func (g *grid) settle(s subject) {
	g.put("operator", patient(s.id))
	g.create("operator", (&play{}).coverage(&card{person: s.id, town: "town", active: true}))
	roles := map[string]string{"sheltertown": "evacuation", "thirdtown": "evacuation", "office": "care_provider", "otheroffice": "care_provider",
		"manager": "care_manager", "othermanager": "care_manager", "clinic": "care_provider", "otherclinic": "physician"}
	var registrations []*episode
	for _, o := range offices[1:] {
		e := &episode{person: s.id, office: o.id, role: roles[o.id], active: true}
		e.id = g.create("person-"+s.id, (&play{}).episode(e))
		registrations = append(registrations, e)
	}
	for _, form := range g.forms {
		g.write(s, form, "DocumentReference")
		if slices.Contains(observed, form) {
			g.write(s, form, "Observation")
		}
	}
	g.paper(s)
	for _, e := range registrations {
		stays := slices.Contains([]string{"registered", "care provider"}, s.relation) && !strings.HasPrefix(e.office, "other") && e.office != "thirdtown"
		if stays && (e.office != "clinic" || s.relation == "care provider") {
			continue
		}
		e.active = false
		g.put("person-"+s.id, (&play{}).episode(e))
	}
	if s.relation == "registered" { // the physician's institution
		g.create("person-"+s.id, (&play{}).episode(&episode{person: s.id, office: "clinic", role: "physician", active: true}))
	}
	g.consent(s)
}

func (g *grid) consent(s subject) {
	if s.consent == "none" {
		return
	}
	c := &consent{person: s.id, active: true, permit: true, offices: []string{"town", "sheltertown", "office", "manager", "clinic"}, exceptForms: g.refused(s.consent)}
	c.id = g.create("person-"+s.id, (&play{}).consent(c))
	if strings.HasPrefix(s.consent, "withdrawn") {
		c.active = false
		g.put("person-"+s.id, (&play{}).consent(c))
		g.create("person-"+s.id, (&play{}).consent(&consent{person: s.id, active: true, family: true}))
	}
}

// refused are the forms the person refuses in a state of consent.
func (g *grid) refused(consent string) []string {
	switch consent {
	case "but the first half":
		return g.forms[:len(g.forms)/2]
	case "but the second half":
		return g.forms[len(g.forms)/2:]
	}
	return nil
}

// write lets somebody else make a record of the form and, where the offices of
// the test are authors only, each of them that may.
func (g *grid) write(s subject, form, typ string) {
	row := g.marks[form]
	if strings.HasPrefix(row["person"], "★") {
		g.add(s, form, typ, "")
		return
	}
	others := false
	for _, actor := range actors[2:] {
		first := []rune(row[actor])[0]
		if other := standIn[actor]; first == '★' && !others && other != "" {
			g.add(s, form, typ, other)
			others = true
		}
		if s.relation == "author" && (first == '★' || first == 'm') {
			g.add(s, form, typ, officeOf[actor])
		}
	}
}

func (g *grid) add(s subject, form, typ, author string) {
	e := labelled(typ, form).Set("status", map[string]string{"DocumentReference": "current", "Observation": "final"}[typ])
	e.Add("subject").Set("reference", "Patient/"+s.id)
	switch typ {
	case "DocumentReference":
		e.Add("type").Add("coding").Set("system", "urn:leak").Set("code", "red")
		e.Add("content").Add("attachment").Set("title", "sheet")
	case "Observation":
		e.Add("code").Add("coding").Set("system", "urn:leak").Set("code", "red")
	}
	client := author
	if author == "" {
		client = "person-" + s.id
	}
	r := &sheet{typ: typ, form: form, author: author, person: s.id}
	r.id = g.create(client, e)
	g.sheets[s.id] = append(g.sheets[s.id], r)
}

// paper makes a Composition of the person's card that refers to every record
// of the person.
func (g *grid) paper(s subject) {
	e := labelled("Composition", "insured-card").Set("status", "final").Set("date", "2026-05-01").Set("title", "一覧")
	e.Add("type").Set("text", "list")
	e.Add("author").Set("reference", "Organization/town")
	e.Add("subject").Set("reference", "Patient/"+s.id)
	section := e.Add("section")
	for _, r := range g.sheets[s.id] {
		section.Add("entry").Set("reference", r.key())
	}
	g.papers[s.id] = g.create("operator", e)
}

// asker is a caller in the place of an actor.
type asker struct {
	client, actor, office string
	own                   bool // the person or the family of the subject
}

// askers are the callers of all columns, and somebody else's person.
func (g *grid) askers(s subject) []asker {
	stranger := g.subjects[0].id
	if s.id == stranger {
		stranger = g.subjects[1].id
	}
	list := []asker{{client: "person-" + s.id, actor: "person", own: true}, {client: "family-" + s.id, actor: "family", own: true}, {client: "person-" + stranger, actor: "person"}}
	for _, actor := range actors[2:] {
		list = append(list, asker{client: officeOf[actor], actor: actor, office: officeOf[actor]})
	}
	return list
}

// sees reads one cell: the answer the table gives.
func (g *grid) sees(a asker, s subject, r *sheet) bool {
	mark := g.marks[r.form][a.actor]
	if a.office == "" {
		if !a.own || a.actor == "family" && strings.HasSuffix(s.consent, "family refused") {
			return false
		}
		return mark == "★" || mark == "○" || mark == "◎f" && r.typ == "DocumentReference"
	}
	if r.author == a.office {
		return true
	}
	if strings.HasSuffix(mark, "f") && r.typ != "DocumentReference" {
		return false
	}
	signs := []rune(strings.TrimSuffix(mark, "f"))
	first, last := signs[0], signs[len(signs)-1]
	registered := s.relation == "registered" || s.relation == "care provider"
	switch a.actor {
	case "insurer":
		return last == '○' || last == '◎' && g.open(s, r.form)
	case "municipality":
		return registered && (last == '★' || last == '○' || last == '◎' && g.open(s, r.form))
	case "medical_institution":
		return first == '○' && s.relation == "care provider" || last == '◎' && g.open(s, r.form)
	}
	return last == '○' && registered || last == '◎' && g.open(s, r.form)
}

// open tells whether the consent opens a form.
func (g *grid) open(s subject, form string) bool {
	return s.consent == "active" || strings.HasPrefix(s.consent, "but") && !slices.Contains(g.refused(s.consent), form)
}

// seesPerson is the same for the Patient.
func (g *grid) seesPerson(a asker, s subject) bool {
	switch {
	case a.office == "":
		return a.own && (a.actor != "family" || !strings.HasSuffix(s.consent, "family refused"))
	case a.actor == "insurer", s.relation == "registered", s.relation == "care provider", g.made(a, s):
		return true
	}
	return s.consent == "active" || strings.HasPrefix(s.consent, "but")
}

func (g *grid) made(a asker, s subject) bool {
	return slices.ContainsFunc(g.sheets[s.id], func(r *sheet) bool { return r.author == a.office })
}

// visible are the keys of the person's records of a type a caller sees.
func (g *grid) visible(a asker, s subject, types ...string) []string {
	keys := []string{}
	for _, r := range g.sheets[s.id] {
		if slices.Contains(types, r.typ) && g.sees(a, s, r) {
			keys = append(keys, r.key())
		}
	}
	slices.Sort(keys)
	return keys
}

func organization(o office) *fhir.Element {
	e := fhir.NewResource("Organization").Set("id", o.id).Set("name", o.id)
	e.Add("type").Add("coding").Set("system", care.OrganizationKindSystem).Set("code", o.kind)
	return e
}

func patient(id string) *fhir.Element {
	e := fhir.NewResource("Patient").Set("id", id)
	e.Add("identifier").Set("system", "urn:leak").Set("value", id)
	e.Add("name").Set("family", "山田"+id)
	return e
}

// TestTableHasEveryForm keeps the table whole: its forms are those of the
// matrix, whose cells it does not read.
func TestTableHasEveryForm(t *testing.T) {
	var forms []string
	for _, line := range strings.Split(strings.TrimSpace(cells), "\n")[1:] {
		forms = append(forms, strings.Fields(line)[0])
	}
	if want := sharing.National().Forms(); !slices.Equal(forms, want) {
		t.Errorf("the table has the forms\n%v, the matrix\n%v", forms, want)
	}
	for _, f := range forms {
		if _, ok := matrix[f]; !ok {
			t.Errorf("the oracle's matrix lacks %s", f)
		}
	}
}
