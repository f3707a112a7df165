package careplan

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// write adds a plan to the transaction.
func (a *plans) write(p *plan) {
	r := *p.first
	b := a.ctx.Bundle
	system, _ := codes.OrganizationSystem(r.Text("office"))
	a.ctx.Author(system, r.Text("office"))
	office := b.Office(form.Office{
		Number: r.Text("office"), Kind: care.KindCareManagerOffice, Name: r.Text("office-name"),
		Postal: r.Text("office-postal"), Address: r.Texts("office-address-1", "office-address-2"),
	})
	patient := a.patient(p)
	if len(p.second) == 0 {
		a.ctx.Report.Add(r.Problem("planned", "plan-incomplete", fhir.Warning, fhir.Messagef(
			"sheet 2 (UP2KYO) of this plan is not among the files: it has neither goals nor services", "この計画の第2表（UP2KYO）がないため、目標とサービスは取り込まれません。")))
	}

	c := form.New("CarePlan", care.CarePlanProfile, care.HomeCarePlan)
	a.firstSheet(c, p)
	form.Identify(c, care.CarePlanNumber, p.key)
	c.Set("status", "active").Set("intent", "plan")
	home, _ := codes.PlanKinds().Lookup("home")
	form.Coded(c, "category", codes.PlanKinds(), home)
	if kind, ok := r.Concept("kind"); ok {
		form.Coded(c, "category", codes.PlanKinds(), kind)
	}
	c.Set("title", "居宅サービス計画書").Set("description", r.Text("policy"))
	form.Link(c, "subject", patient)
	form.Period(c, "period", r.Date("planned"), r.Date("end"))
	c.Set("created", r.Date("made"))
	form.Link(c, "author", office)
	c.Add("contributor").Set("reference", "#care-manager")
	goals := a.goals(c, p, patient, office)
	for _, row := range p.second {
		a.service(c, row, goals)
	}
	week(c, p.third)
	b.Put(c, care.CarePlanNumber, p.key, "")
}

// patient adds the person. Sheet 1 alone does not say a name.
func (a *plans) patient(p *plan) form.Ref {
	r := *p.first
	person := form.Person{Insurer: r.Text("insurer"), Insured: r.Text("insured"), Postal: r.Text("postal"), Address: r.Texts("address-1", "address-2")}
	about := p.supplement
	if about == nil {
		if s, ok := a.people[codes.Insured(person.Insurer, person.Insured)]; ok {
			about = &s
		}
	}
	if about == nil {
		a.ctx.Report.Add(r.Problem("insured", "plan-incomplete", fhir.Warning, fhir.Messagef(
			"UPHOSOKU of this person is not among the files: name and birth date are not known from them", "この利用者の利用者補足情報（UPHOSOKU）がないため、氏名と生年月日が取り込まれません。")))
		return a.ctx.Bundle.Patient(person)
	}
	person.Name, person.Kana = about.Text("name"), about.Text("kana")
	person.BirthDate, person.Gender = about.Date("birth"), form.Gender(about.Text("gender"))
	person.Phone = about.Text("phone")
	if person.Address == "" {
		person.Postal, person.Address = about.Text("postal"), about.Texts("address-1", "address-2")
	}
	return a.ctx.Bundle.Patient(person)
}

// firstSheet sets what only the first sheet and the supplement say.
func (a *plans) firstSheet(c *fhir.Element, p *plan) {
	r := *p.first
	manager := fhir.NewResource("Practitioner")
	manager.Set("id", "care-manager")
	form.AddNames(manager, r.Text("manager"), "")
	c.AddResource("contained", manager)
	if l, ok := r.Concept("level"); ok {
		form.Coded(form.Extend(c, care.CareLevelExtension), "valueCodeableConcept", codes.CareLevels(), l)
	}
	form.ExtendValue(c, care.CertifiedDateExtension, "valueDate", r.Date("certified"))
	if start, end := r.Date("start"), r.Date("end"); start+end != "" {
		form.Period(form.Extend(c, care.CertifiedPeriodExt), "valuePeriod", start, end)
	}
	if p.supplement != nil && p.supplement.Text("limit") != "" {
		form.Units(form.Extend(c, care.BenefitLimitExtension), "valueQuantity", form.DecimalValue(p.supplement.Text("limit")))
	}
	form.ExtendValue(c, care.AssessmentResultExt, "valueString", r.Text("analysis"))
	form.ExtendValue(c, care.CommitteeOpinionExt, "valueString", r.Text("committee"))
	if reason, ok := r.Concept("housekeeping"); ok {
		text := reason.Ja
		if other := r.Text("housekeeping-other"); other != "" {
			text += "：" + other
		}
		form.ExtendValue(c, care.HousekeepingReasonExt, "valueString", text)
	}
	form.ExtendValue(c, care.FirstPlanExtension, "valueDate", r.Date("first"))
}

// goalPair are the two goals of one 援助目標NO.
type goalPair struct {
	long, short       *fhir.Element
	longRef, shortRef form.Ref
}

// goals makes the long and short-term goals of the second sheet, each once,
// and hangs them on the plan.
func (a *plans) goals(c *fhir.Element, p *plan, patient, office form.Ref) map[string]*goalPair {
	goals := map[string]*goalPair{}
	need := map[string]string{}
	for _, r := range p.second {
		if r.Text("need") != "" {
			need[r.Text("need-no")] = r.Text("need")
		}
	}
	for _, r := range p.second {
		id := r.Text("need-no") + ":" + r.Text("goal-no")
		pair, ok := goals[id]
		if !ok {
			pair = &goalPair{}
			goals[id] = pair
		}
		add := func(have *fhir.Element, term int, text, period string) (*fhir.Element, form.Ref) {
			if have != nil || text == "" {
				return have, form.Ref{}
			}
			g := a.goal(p, id, codes.GoalTerms().Concepts[term], text, period, need[r.Text("need-no")], patient, office)
			ref := a.ctx.Bundle.Put(g, care.CarePlanNumber, p.key+":"+id+":"+codes.GoalTerms().Concepts[term].Code, "")
			form.Link(c, "goal", ref)
			return g, ref
		}
		if g, ref := add(pair.long, 0, r.Text("long"), r.Text("long-period")); ref.URN != "" {
			pair.long, pair.longRef = g, ref
		}
		if g, ref := add(pair.short, 1, r.Text("short"), r.Text("short-period")); ref.URN != "" {
			pair.short, pair.shortRef = g, ref
			if pair.long != nil {
				milestone(pair.long, ref)
			}
		}
	}
	return goals
}

func (a *plans) goal(p *plan, id string, term codes.Concept, text, period, need string, patient, office form.Ref) *fhir.Element {
	g := form.New("Goal", care.GoalProfile, care.HomeCarePlan)
	form.Coded(form.Extend(g, care.GoalTermExtension), "valueCodeableConcept", codes.GoalTerms(), term)
	form.ExtendValue(g, care.GoalNeedExtension, "valueString", need)
	form.ExtendValue(g, care.PeriodTextExtension, "valueString", period)
	form.Identify(g, care.CarePlanNumber, p.key+":"+id+":"+term.Code)
	form.Link(g.Get("identifier"), "assigner", office)
	g.Set("lifecycleStatus", "active")
	form.Words(g, "description", text)
	form.Link(g, "subject", patient)
	g.Set("startDate", p.first.Date("planned"))
	return g
}

// milestone says that a short-term goal is a step towards a long-term one.
// https://hl7.org/fhir/R4/extension-goal-relationship.html
func milestone(long *fhir.Element, short form.Ref) {
	ext := form.Extend(long, "http://hl7.org/fhir/StructureDefinition/goal-relationship")
	form.Concept(form.Extend(ext, "type"), "valueCodeableConcept", "http://terminology.hl7.org/CodeSystem/goal-relationship-type", codes.Concept{Code: "milestone", Ja: "Milestone"})
	form.Link(form.Extend(ext, "target"), "valueReference", short)
}

// service adds a line of the second sheet as an activity.
func (a *plans) service(c *fhir.Element, r form.Record, goals map[string]*goalPair) {
	if r.Text("service") == "" && r.Text("service-kind") == "" {
		return
	}
	d := c.Add("activity").Add("detail")
	form.ExtendValue(d, care.PlanSheetExtension, "valueCode", "2")
	if insured, ok := r.Concept("insured-service"); ok {
		form.ExtendValue(d, care.InsuredServiceExtension, "valueBoolean", map[string]string{"Y": "true", "N": "false"}[insured.Code])
	}
	form.ExtendValue(d, care.PeriodTextExtension, "valueString", r.Text("period"))
	serviceKind(d, r.Text("service-kind"))
	if pair := goals[r.Text("need-no")+":"+r.Text("goal-no")]; pair != nil {
		for _, ref := range []form.Ref{pair.longRef, pair.shortRef} {
			if ref.URN != "" {
				form.Link(d, "goal", ref)
			}
		}
	}
	d.Set("status", "scheduled")
	d.Set("scheduledString", r.Text("frequency"))
	if number := r.Text("provider"); number != "" {
		form.Link(d, "performer", a.ctx.Bundle.Office(form.Office{Number: number, Name: r.Text("provider-name")}))
	} else if name := r.Text("provider-name"); name != "" {
		d.Add("performer").Set("display", name)
	}
	d.Set("description", r.Text("service"))
}

// serviceKind says the kind of service in the plan's words and, where they are
// those of the code list, as a code.
func serviceKind(d *fhir.Element, text string) {
	if text == "" {
		return
	}
	code := d.Add("code")
	for _, k := range codes.ServiceKinds().Concepts {
		if k.Ja == text {
			code.Add("coding").Set("system", codes.ServiceKinds().URL).Set("code", k.Code).Set("display", k.Ja)
		}
	}
	code.Set("text", text)
}
