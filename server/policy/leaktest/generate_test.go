package leaktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// play is a world, the server that is told everything that happens in it, and
// the dice.
type play struct {
	*world
	*system
	dice    *rand.Rand
	viewers []viewer
	doors   map[string]int // how often each was tried
}

func pick[T any](dice *rand.Rand, list []T) T { return list[dice.IntN(len(list))] }

func some[T any](dice *rand.Rand, list []T) []T {
	n := 1 + dice.IntN(len(list))
	picked := slices.Clone(list)
	dice.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return picked[:min(n, 3)]
}

// cast are the viewers: organisations of all kinds, people and their families.
func cast(people int) (offices []office, persons []string, viewers []viewer) {
	for _, k := range columns[1:] {
		for i := range 3 {
			o := office{fmt.Sprintf("%s-%d", map[string]string{"municipality": "town", "care_office": "office",
				"care_manager_office": "manager", "medical_institution": "clinic"}[k], i), k}
			offices = append(offices, o)
			viewers = append(viewers, viewer{client: o.id, kind: k, office: o.id})
		}
	}
	for i := range people {
		p := fmt.Sprint("p", i)
		persons = append(persons, p)
		viewers = append(viewers, viewer{client: "person-" + p, kind: "user", person: p}, viewer{client: "family-" + p, kind: "user", person: p, family: true})
	}
	return offices, persons, viewers
}

// found fills the world: everybody is there, nobody is related yet.
func (p *play) found() {
	for _, o := range p.offices {
		p.put("operator", organization(o))
	}
	for _, person := range p.people {
		p.put("operator", patient(person))
	}
}

func (p *play) officeOf(kinds ...string) office {
	for {
		if o := pick(p.dice, p.offices); slices.Contains(kinds, o.kind) {
			return o
		}
	}
}

// happen lets one thing happen in the world and at the server.
func (p *play) happen() {
	person := pick(p.dice, p.people)
	switch p.dice.IntN(14) {
	case 0:
		p.insure(person)
	case 1, 2:
		p.register(person)
	case 3, 4, 5:
		p.giveConsent(person)
	case 6:
		p.end()
	case 7:
		p.withdraw()
	case 8:
		p.remove()
	case 9:
		p.world.pass(time.Duration(p.dice.IntN(40)) * time.Minute)
	case 10:
		p.changeMind()
	default:
		p.write(person)
	}
}

// changeMind lets a physician withhold an opinion, or no longer.
func (p *play) changeMind() {
	for _, i := range p.dice.Perm(len(p.records)) {
		r := p.records[i]
		if r.form != "physician-opinion" || r.deleted {
			continue
		}
		r.withheld = !r.withheld
		r.versions++
		p.put(r.author, p.record(r).Set("id", r.id))
		return
	}
}

func (p *play) until() time.Time {
	if p.dice.IntN(4) == 0 {
		return p.world.now.Add(time.Duration(1+p.dice.IntN(120)) * time.Minute)
	}
	return time.Time{}
}

func (p *play) insure(person string) {
	i := slices.IndexFunc(p.cards, func(c *card) bool { return c.person == person && c.active })
	if i >= 0 { // the person moves: the old insurer cancels its card
		c := p.cards[i]
		c.active = false
		p.put(c.town, p.coverage(c))
	}
	c := &card{person: person, town: p.officeOf("municipality").id, active: true}
	client := c.town
	if !p.seesPerson(viewer{kind: "municipality", office: client}, person) {
		client = "operator" // as by $intake, which finds a person by the number
	}
	c.id = p.create(client, p.coverage(c))
	p.cards = append(p.cards, c)
	p.records = append(p.records, &record{id: c.id, typ: "Coverage", form: "insured-card", person: person, author: c.town, versions: 1})
	p.hasAuthor[[2]string{c.town, person}] = true
}

func (p *play) coverage(c *card) *fhir.Element {
	e := labelled("Coverage", "insured-card").Set("id", c.id).Set("status", "cancelled")
	if c.active {
		e.Set("status", "active")
	}
	e.Add("beneficiary").Set("reference", "Patient/"+c.person)
	e.Add("payor").Set("reference", "Organization/"+c.town)
	return e
}

func labelled(typ, form string) *fhir.Element {
	e := fhir.NewResource(typ)
	e.Add("meta").Add("security").Set("system", care.FormSystem).Set("code", form)
	return e
}

func (p *play) register(person string) {
	role := pick(p.dice, []string{"care_manager", "care_provider", "care_provider", "physician", "evacuation"})
	kinds := map[string][]string{"care_manager": {"care_manager_office"}, "care_provider": {"care_office", "medical_institution"},
		"physician": {"medical_institution"}, "evacuation": {"municipality"}}[role]
	e := &episode{person: person, office: p.officeOf(kinds...).id, role: role, active: true, end: p.until()}
	client := "person-" + person
	if role != "evacuation" && p.dice.IntN(2) == 0 {
		client = e.office
	}
	e.id = p.create(client, p.episode(e))
	p.episodes = append(p.episodes, e)
}

func (p *play) episode(e *episode) *fhir.Element {
	g := sharing.Registration{Patient: e.person, Organization: e.office, Role: sharing.Role(e.role), Active: e.active, End: e.end, Identified: sharing.InPerson}
	return g.Resource().Set("id", e.id)
}

func (p *play) giveConsent(person string) {
	var ids []string
	for _, o := range p.offices {
		ids = append(ids, o.id)
	}
	c := &consent{person: person, active: true, permit: true, end: p.until()}
	client := "person-" + person
	switch p.dice.IntN(8) {
	case 0:
		c.permit, c.family = false, true
	case 1:
		c.permit, c.forms = false, some(p.dice, consentForms)
		if p.dice.IntN(2) == 0 {
			c.offices = some(p.dice, ids)
		}
	case 2:
		c.comprehensive = true
	case 3:
		c.offices, c.exceptForms = some(p.dice, ids), some(p.dice, consentForms)
	case 4:
		c.offices, c.forms = some(p.dice, ids), some(p.dice, consentForms)
	case 5:
		c.taker = pick(p.dice, ids)
		c.offices = []string{c.taker}
		client = c.taker
	default:
		c.offices = some(p.dice, ids)
	}
	c.id = p.create(client, p.consent(c))
	p.consents = append(p.consents, c)
}

func (p *play) consent(c *consent) *fhir.Element {
	t := sharing.Terms{Patient: c.person, Taker: c.taker, Active: c.active, Permit: c.permit, Comprehensive: c.comprehensive,
		Recipients: c.offices, Family: c.family, Forms: c.forms, End: c.end, Identified: sharing.InPerson}
	if c.exceptForms != nil {
		t.Except = []sharing.Exception{{Forms: c.exceptForms}}
	}
	return t.Resource().Set("id", c.id)
}

func (p *play) end() {
	if len(p.episodes) > 0 {
		e := pick(p.dice, p.episodes)
		e.active = false
		p.put("person-"+e.person, p.episode(e))
	}
}

func (p *play) withdraw() {
	if len(p.consents) > 0 {
		c := pick(p.dice, p.consents)
		c.active = false
		p.put("person-"+c.person, p.consent(c))
	}
}

// typesOf are the types in which a form is written here.
func typesOf(form string) []string {
	switch form {
	case "certification-survey", "physician-opinion", "life-feedback":
		return []string{"DocumentReference", "Observation", "QuestionnaireResponse"}
	case "home-care-plan", "facility-care-plan":
		return []string{"DocumentReference", "CarePlan"}
	}
	return []string{"DocumentReference", "QuestionnaireResponse", "Composition"}
}

// forms are the keys of the matrix in a fixed order.
var forms = func() []string {
	var list []string
	for f := range matrix {
		list = append(list, f)
	}
	slices.Sort(list)
	return list
}()

// write makes a record by somebody who may make it.
func (p *play) write(person string) {
	form := pick(p.dice, forms)
	var authors []string
	for i, k := range columns {
		if []rune(matrix[form][i])[0] == '★' {
			authors = append(authors, k)
		}
	}
	r := &record{typ: pick(p.dice, typesOf(form)), form: form, person: person, versions: 1, mark: pick(p.dice, []string{"red", "green", "blue"})}
	client := "person-" + person
	r.author = "Patient/" + person
	if authors[0] != "user" {
		client = p.officeOf(authors...).id
		r.author = client
	}
	if r.typ == "Composition" {
		r.refs = p.references(r)
	}
	if holds[r.typ] && p.dice.IntN(2) == 0 {
		r.inside = pick(p.dice, []string{"red", "green", "blue"})
	}
	r.withheld = form == "physician-opinion" && p.dice.IntN(3) == 0
	if client == r.author && !p.seesPerson(viewer{office: client}, person) {
		p.refused(client, p.record(r)) // register first: one does not write about strangers
		p.refusedDocument(client, r)
		return
	}
	r.id = p.create(client, p.record(r))
	p.records = append(p.records, r)
	p.hasAuthor[[2]string{r.author, person}] = true
}

// references are some records of the author about the person.
func (p *play) references(r *record) []string {
	var refs []string
	for _, other := range p.records {
		if other.person == r.person && other.author == r.author && !other.deleted && other.typ != "Composition" {
			refs = append(refs, other.key())
		}
	}
	return refs
}

// refused tries to create a resource about somebody the client does not know.
func (p *play) refused(client string, e *fhir.Element) {
	a := p.do(client, "POST", e.ResourceType(), string(fhirjson.Append(nil, e)))
	hidden := e.Get("subject").Text("reference")
	e.Get("subject").Set("reference", "Patient/nobody")
	b := p.do(client, "POST", e.ResourceType(), string(fhirjson.Append(nil, e)))
	if a.status != 422 || b.status != a.status || strings.ReplaceAll(a.body, hidden, "Patient/nobody") != b.body {
		p.system.t.Errorf("%s about a hidden person: %d, an absent one: %d\n%s\n%s", a.request, a.status, b.status, a.body, b.body)
	}
}

// refusedDocument tries the same with the reference inside a document.
func (p *play) refusedDocument(client string, r *record) {
	document := labelled("Bundle", r.form).Set("type", "document").Set("timestamp", "2026-05-01T00:00:00Z")
	document.Add("identifier").Set("system", "urn:leak").Set("value", "document")
	composition := fhir.NewResource("Composition").Set("id", "c").Set("status", "final").Set("date", "2026-05-01").Set("title", "記録")
	composition.Add("type").Set("text", "x")
	composition.Add("author").Set("reference", "Organization/"+client)
	composition.Add("subject").Set("reference", "Patient/"+r.person)
	for _, e := range []*fhir.Element{composition, fhir.NewResource("Patient").Set("id", r.person), fhir.NewResource("Organization").Set("id", client).Set("name", "x")} {
		document.Add("entry").Set("fullUrl", base+"/"+e.ResourceType()+"/"+e.ID()).AddResource("resource", e)
	}
	if a := p.do(client, "POST", "Bundle", string(fhirjson.Append(nil, document))); a.status != 422 || !strings.Contains(a.body, "reference-not-found") {
		p.system.t.Errorf("%s: a document about a hidden person: %d %s", a.request, a.status, a.body)
	}
}

func (p *play) record(r *record) *fhir.Element {
	e := labelled(r.typ, r.form)
	if r.withheld {
		e.Get("meta").Add("security").Set("system", sharing.RestrictionSystem).Set("code", sharing.PhysicianWithheld)
	}
	e.Add("subject").Set("reference", "Patient/"+r.person)
	mark := func(name string) { e.Add(name).Add("coding").Set("system", "urn:leak").Set("code", r.mark) }
	switch r.typ {
	case "DocumentReference":
		e.Set("status", "current")
		mark("type")
		e.Add("content").Add("attachment").Set("title", "sheet")
	case "Observation":
		e.Set("status", "final")
		mark("code")
	case "CarePlan":
		e.Set("status", "active").Set("intent", "plan")
		mark("category")
	case "QuestionnaireResponse":
		e.Set("status", "completed")
	case "Composition":
		p.paper(e, r)
	}
	if r.inside != "" {
		hold(e, r)
	}
	return e
}

// holds are the types of records that may contain an Observation.
var holds = map[string]bool{"DocumentReference": true, "Observation": true, "CarePlan": true}

// hold puts an Observation into a record, which refers to it.
func hold(e *fhir.Element, r *record) {
	in := fhir.NewResource("Observation").Set("id", "inside").Set("status", "final")
	in.Add("code").Add("coding").Set("system", "urn:leak").Set("code", r.inside)
	e.AddResource("contained", in)
	switch r.typ {
	case "DocumentReference":
		e = e.Add("context").Add("related")
	case "Observation":
		e = e.Add("hasMember")
	case "CarePlan":
		e = e.Add("supportingInfo")
	}
	e.Set("reference", "#inside")
}

// paper fills a Composition.
func (p *play) paper(e *fhir.Element, r *record) {
	e.Set("status", "final").Set("date", "2026-05-01").Set("title", "一覧")
	e.Add("type").Set("text", "list")
	author := r.author
	if !strings.HasPrefix(author, "Patient/") {
		author = "Organization/" + author
	}
	e.Add("author").Set("reference", author)
	if len(r.refs) == 0 {
		return
	}
	section := e.Add("section").Set("title", "記録")
	for _, key := range r.refs {
		section.Add("entry").Set("reference", key)
	}
}

// remove deletes a record, by its author. Cards are cancelled instead.
func (p *play) remove() {
	for range 5 {
		if len(p.records) == 0 {
			return
		}
		r := pick(p.dice, p.records)
		if r.deleted || r.typ == "Coverage" {
			continue
		}
		client := r.author
		if matrix[r.form][0] == "★" {
			client = "person-" + r.person
		}
		a := p.do(client, "DELETE", r.key(), "")
		if a.status == 409 { // a Composition refers to it
			return
		}
		if a.status != 204 && a.status != 200 {
			p.system.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
		}
		r.deleted = true
		return
	}
}
