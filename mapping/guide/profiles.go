package guide

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// profile is what our resources of a type promise beyond R4.
type profile struct {
	url, name, title string
	base             string // resource type
	form             string // code of the form in meta.security, "" for none
	extensions       []string
	rules            []rule
}

// rule restricts one element. Rules stand in any order.
type rule struct {
	path     string // without the type: "subject"
	min      string
	max      string
	targets  []string
	bind     string // value set
	fixed    string // a code the element must have
	coding   [2]string
	identify string // a system some identifier must have
	short    string
}

// profiles are the profiles of the guide, first versions.
func profiles() []profile {
	patient, organization, practitioner := []string{care.PatientProfile}, []string{care.OrganizationProfile}, []string{care.PractitionerProfile}
	either := []string{care.PractitionerProfile, care.OrganizationProfile}
	subject := rule{path: "subject", min: "1", targets: patient, short: "利用者"}
	return []profile{
		{care.PatientProfile, "CarePatient", "介護保険の被保険者", "Patient", "", nil, []rule{
			{path: "identifier", min: "1", identify: care.InsuredNumber, short: "保険者番号:被保険者番号"}, {path: "managingOrganization", targets: organization, short: "保険者"}}},
		{care.OrganizationProfile, "CareOrganization", "介護に関わる組織", "Organization", "", nil, []rule{
			{path: "identifier", min: "1", short: "保険者番号、事業所番号または医療機関コード"}, {path: "type", min: "1", bind: valueSetURL(codes.OrganizationKinds()), short: "組織の種類"}}},
		{care.PractitionerProfile, "CarePractitioner", "医師、介護支援専門員など", "Practitioner", "", nil, []rule{{path: "name", min: "1", short: "氏名"}}},
		{care.InsuredCardProfile, "InsuredCard", "介護保険被保険者証", "Coverage", care.InsuredCard,
			[]string{care.IssuedDateExtension, care.CareLevelExtension, care.CertifiedDateExtension, care.BenefitLimitExtension, care.ServiceLimitExtension, care.CommitteeOpinionExt, care.BenefitRestrictionExt, care.CareManagerOfficeExt, care.FacilityStayExtension},
			[]rule{{path: "identifier", min: "1", identify: care.CardNumber}, {path: "type", min: "1", coding: [2]string{care.CoverageTypeSystem, "ltc"}}, {path: "subscriberId", min: "1", short: "被保険者番号"},
				{path: "beneficiary", targets: patient, short: "被保険者"}, {path: "period", min: "1", short: "認定の有効期間"}, {path: "payor", max: "1", targets: organization, short: "保険者"}}},
		{care.OpinionProfile, "OpinionReference", "主治医意見書", "DocumentReference", care.PhysicianOpinion, []string{care.PhysicianConsentExt},
			[]rule{{path: "identifier", min: "1", identify: care.OpinionNumber}, {path: "type", min: "1", coding: [2]string{care.FormSystem, care.PhysicianOpinion}}, subject, {path: "date", min: "1", short: "記入日"},
				{path: "author", min: "1", targets: either, short: "記入した医師"}, {path: "custodian", min: "1", targets: organization, short: "医療機関"}}},
		{care.OpinionDocumentProfile, "OpinionDocument", "主治医意見書（文書）", "Bundle", care.PhysicianOpinion, nil,
			[]rule{{path: "identifier", min: "1"}, {path: "type", fixed: "document"}, {path: "timestamp", min: "1"}}},
		{care.OpinionComposition, "OpinionComposition", "主治医意見書の構成", "Composition", care.PhysicianOpinion, nil,
			[]rule{{path: "identifier", min: "1"}, {path: "type", coding: [2]string{care.FormSystem, care.PhysicianOpinion}}, subject, {path: "author", targets: practitioner}, {path: "custodian", min: "1", targets: organization},
				{path: "section", min: "5", max: "5", short: "様式の１から５"}, {path: "section.code", min: "1", bind: valueSetURL(opinion.Items())}}},
		{care.OpinionCondition, "OpinionCondition", "主治医意見書の診断名", "Condition", care.PhysicianOpinion, nil,
			[]rule{{path: "code", min: "1", short: "診断名"}, subject, {path: "asserter", targets: practitioner}}},
		{care.OpinionObservation, "OpinionObservation", "主治医意見書の所見", "Observation", care.PhysicianOpinion, nil,
			[]rule{{path: "category", min: "1"}, subject, {path: "effective[x]", min: "1"}, {path: "performer", min: "1", targets: practitioner}}},
		{care.OpinionAnswers, "OpinionAnswers", "主治医意見書の全項目", "QuestionnaireResponse", care.PhysicianOpinion, nil,
			[]rule{{path: "questionnaire", min: "1"}, subject, {path: "authored", min: "1"}, {path: "author", min: "1", targets: practitioner}}},
		{care.CarePlanProfile, "HomeCarePlan", "居宅サービス計画書", "CarePlan", care.HomeCarePlan,
			[]string{care.CareLevelExtension, care.CertifiedDateExtension, care.CertifiedPeriodExt, care.BenefitLimitExtension, care.AssessmentResultExt, care.CommitteeOpinionExt, care.HousekeepingReasonExt, care.FirstPlanExtension},
			[]rule{{path: "identifier", min: "1", identify: care.CarePlanNumber}, {path: "intent", fixed: "plan"}, {path: "category", min: "1"}, subject, {path: "period", min: "1"}, {path: "author", min: "1", targets: organization, short: "居宅介護支援事業者"},
				{path: "goal", targets: []string{care.GoalProfile}}}},
		{care.GoalProfile, "CareGoal", "援助目標", "Goal", care.HomeCarePlan, []string{care.GoalTermExtension, care.GoalNeedExtension, care.PeriodTextExtension},
			[]rule{{path: "identifier", min: "1", identify: care.CarePlanNumber}, subject}},
		{care.LifeObservation, "LifeObservation", "LIFE の評価", "Observation", care.LifeFeedback, nil,
			[]rule{{path: "identifier", min: "1", identify: care.LifeRecordNumber}, {path: "category", min: "1"}, subject, {path: "effective[x]", min: "1"}, {path: "performer", min: "1", targets: organization, short: "事業所"}}},
		{care.BarthelPanelProfile, "BarthelPanel", "Barthel Index", "Observation", care.LifeFeedback, nil,
			[]rule{{path: "identifier", min: "1", identify: care.LifeRecordNumber}, {path: "code", coding: [2]string{"http://loinc.org", "96761-2"}}, subject, {path: "effective[x]", min: "1"}, {path: "performer", min: "1", targets: organization},
				{path: "hasMember", min: "1", max: "10", targets: []string{care.LifeObservation}, short: "10 項目"}}},
		{care.LifeAnswers, "LifeAnswers", "LIFE の記録の全項目", "QuestionnaireResponse", care.LifeFeedback, nil,
			[]rule{{path: "identifier", min: "1"}, {path: "questionnaire", min: "1"}, subject, {path: "authored", min: "1"}, {path: "author", min: "1", targets: organization}}},
		{care.LifeFeedbackProfile, "LifeFeedback", "LIFE 利用者フィードバック票", "DocumentReference", care.LifeFeedback, nil,
			[]rule{{path: "identifier", min: "1", identify: care.LifeRecordNumber}, {path: "type", min: "1", coding: [2]string{care.FormSystem, care.LifeFeedback}}, subject, {path: "date", min: "1"}, {path: "custodian", min: "1", targets: organization}}},
	}
}

func (p profile) resource() *fhir.Element {
	r := structure(p.url, p.name, p.title, "resource", p.base, core+p.base)
	d := differential{r.Add("differential")}
	d.element(p.base, p.base).Set("short", p.title)
	if p.form != "" {
		p.label(d)
	}
	if len(p.extensions) > 0 {
		p.extend(d)
	}
	for _, rule := range inOrder(p.base, p.rules) {
		p.restrict(d, rule)
	}
	return r
}

// inOrder sorts rules as the elements stand in the type: a differential has to
// be in the order of the snapshot.
func inOrder(base string, rules []rule) []rule {
	t, _ := r4.TypeByName(base)
	place := func(r rule) int {
		name, _, _ := strings.Cut(strings.TrimSuffix(r.path, "[x]"), ".")
		return slices.IndexFunc(t.Elements, func(e *r4.Element) bool { return e.Name == name })
	}
	slices.SortStableFunc(rules, func(a, b rule) int { return place(a) - place(b) })
	return rules
}

// label asks for the form's code in meta.security.
func (p profile) label(d differential) {
	path := p.base + ".meta.security"
	d.element(p.base+".meta", p.base+".meta").Set("min", "1")
	s := d.element(path, path)
	slicing := s.Add("slicing")
	slicing.Add("discriminator").Set("type", "pattern").Set("path", "$this")
	slicing.Set("rules", "open")
	s.Set("min", "1")
	slice := d.element(path+":form", path).Set("sliceName", "form").Set("short", "様式").Set("min", "1").Set("max", "1")
	slice.Add("patternCoding").Set("system", care.FormSystem).Set("code", p.form)
}

func (p profile) extend(d differential) {
	path := p.base + ".extension"
	s := d.element(path, path)
	slicing := s.Add("slicing")
	slicing.Add("discriminator").Set("type", "value").Set("path", "url")
	slicing.Set("rules", "open")
	for _, url := range p.extensions {
		e := d.element(path+":"+camel(url), path).Set("sliceName", camel(url)).Set("min", "0").Set("max", most(url))
		e.Add("type").Set("code", "Extension").Add("profile").SetValue(url)
	}
}

// most is how often an extension may occur.
func most(url string) string {
	switch url {
	case care.ServiceLimitExtension, care.BenefitRestrictionExt, care.CareManagerOfficeExt, care.FacilityStayExtension:
		return "*"
	}
	return "1"
}

func (p profile) restrict(d differential, r rule) {
	path := p.base + "." + r.path
	e := d.element(path, path)
	if r.identify != "" {
		slicing := e.Add("slicing")
		slicing.Add("discriminator").Set("type", "value").Set("path", "system")
		slicing.Set("rules", "open")
	}
	e.Set("short", r.short).Set("min", r.min).Set("max", r.max)
	if len(r.targets) > 0 {
		t := e.Add("type").Set("code", "Reference")
		for _, target := range r.targets {
			t.Add("targetProfile").SetValue(target)
		}
	}
	switch {
	case r.fixed != "":
		e.Set("fixedCode", r.fixed)
	case r.coding[0] != "":
		e.Add("patternCodeableConcept").Add("coding").Set("system", r.coding[0]).Set("code", r.coding[1])
	case r.bind != "":
		bind(e, "extensible", r.bind)
	}
	if r.identify != "" {
		slice := d.element(path+":business", path).Set("sliceName", "business").Set("min", "1").Set("max", "1")
		slice.Set("short", r.short)
		d.element(path+":business.system", path+".system").Set("min", "1").Set("fixedUri", r.identify)
		d.element(path+":business.value", path+".value").Set("min", "1")
	}
}
