package guide

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

const core = "http://hl7.org/fhir/StructureDefinition/"

// value is what an extension, or a part of one, may hold.
type value struct {
	Type    string       // FHIR type
	Targets []string     // of references
	Codes   *codes.Table // binding
	Max     string       // of a part; default 1
	Needed  bool         // of a part
}

// extension is the definition of an extension: a value, or parts.
type extension struct {
	url, name, title string
	on               []string // elements it may be on
	value            value
	parts            []part
}

type part struct {
	name string
	value
}

// extensions are the extensions of the guide.
func extensions() []extension {
	anywhere := []string{"Coverage", "CarePlan"}
	return []extension{
		{care.IssuedDateExtension, "IssuedDate", "交付年月日", []string{"Coverage"}, value{Type: "date"}, nil},
		{care.CareLevelExtension, "CareLevelOf", "要介護状態区分", anywhere, value{Type: "CodeableConcept", Codes: codes.CareLevels()}, nil},
		{care.CertifiedDateExtension, "CertifiedDate", "認定年月日", anywhere, value{Type: "date"}, nil},
		{care.CertifiedPeriodExt, "CertifiedPeriod", "認定の有効期間", anywhere, value{Type: "Period"}, nil},
		{care.BenefitLimitExtension, "BenefitLimit", "区分支給限度基準額", anywhere, value{Type: "Quantity"}, nil},
		{care.ServiceLimitExtension, "ServiceBenefitLimit", "種類支給限度基準額", []string{"Coverage"}, value{}, []part{
			{"service", value{Type: "CodeableConcept", Codes: codes.ServiceKinds(), Needed: true}}, {"limit", value{Type: "Quantity", Needed: true}}}},
		{care.CommitteeOpinionExt, "CommitteeOpinion", "認定審査会の意見及びサービスの種類の指定", anywhere, value{Type: "string"}, nil},
		{care.BenefitRestrictionExt, "BenefitRestriction", "給付制限", []string{"Coverage"}, value{}, []part{
			{"content", value{Type: "string", Needed: true}}, {"period", value{Type: "Period"}}}},
		{care.CareManagerOfficeExt, "CareManagerOffice", "居宅介護支援事業者", []string{"Coverage"}, value{}, []part{
			{"office", value{Type: "Reference", Targets: []string{care.OrganizationProfile}, Needed: true}}, {"notified", value{Type: "date"}}}},
		{care.FacilityStayExtension, "FacilityStay", "介護保険施設等", []string{"Coverage"}, value{}, []part{
			{"kind", value{Type: "string"}}, {"name", value{Type: "string", Needed: true}}, {"period", value{Type: "Period"}}}},
		{care.GoalTermExtension, "CareGoalTermOf", "長期目標・短期目標の別", []string{"Goal"}, value{Type: "CodeableConcept", Codes: codes.GoalTerms()}, nil},
		{care.GoalNeedExtension, "CareGoalNeed", "生活全般の解決すべき課題（ニーズ）", []string{"Goal"}, value{Type: "string"}, nil},
		{care.PeriodTextExtension, "PeriodText", "期間（記載のまま）", []string{"Goal", "CarePlan.activity.detail"}, value{Type: "string"}, nil},
		{care.InsuredServiceExtension, "InsuredService", "保険給付の対象かどうか", []string{"CarePlan.activity.detail"}, value{Type: "boolean"}, nil},
		{care.PlanSheetExtension, "CarePlanSheet", "記載された表（2、3、3-daily 主な日常生活上の活動、3-other 週単位以外）", []string{"CarePlan.activity.detail"}, value{Type: "code"}, nil},
		{care.AssessmentResultExt, "AssessmentResult", "意向を踏まえた課題分析の結果", []string{"CarePlan"}, value{Type: "string"}, nil},
		{care.FirstPlanExtension, "FirstPlanDate", "初回居宅サービス計画作成日", []string{"CarePlan"}, value{Type: "date"}, nil},
		{care.HousekeepingReasonExt, "HousekeepingReason", "生活援助中心型の算定理由", []string{"CarePlan"}, value{Type: "string"}, nil},
		{care.AuditChainExtension, "AuditChain", "アクセス記録の連鎖（previous は直前の記録の SHA-256）", []string{"AuditEvent"}, value{}, []part{
			{"lane", value{Type: "unsignedInt", Needed: true}}, {"entry", value{Type: "unsignedInt", Needed: true}}, {"previous", value{Type: "string"}}}},
		{sharing.IdentityCheckExtension, "IdentityCheck", "本人確認の方法（my-number-card、in-person、representative）", []string{"Consent.verification", "EpisodeOfCare"}, value{Type: "code"}, nil},
		{care.PhysicianConsentExt, "PhysicianConsent", "医師の同意（2026年3月までの様式）", []string{"DocumentReference"}, value{Type: "boolean"}, nil},
	}
}

func (x extension) resource() *fhir.Element {
	r := structure(x.url, x.name, x.title, "complex-type", "Extension", core+"Extension")
	for _, on := range x.on {
		r.Add("context").Set("type", "element").Set("expression", on)
	}
	d := differential{r.Add("differential")}
	d.element("Extension", "Extension").Set("short", x.title)
	if x.parts == nil {
		d.element("Extension.extension", "Extension.extension").Set("max", "0")
	}
	for _, p := range x.parts {
		id := "Extension.extension:" + p.name
		slice := d.element(id, "Extension.extension").Set("sliceName", p.name)
		if p.Needed {
			slice.Set("min", "1")
		}
		slice.Set("max", p.most())
		d.element(id+".extension", "Extension.extension.extension").Set("max", "0")
		d.element(id+".url", "Extension.extension.url").Set("fixedUri", p.name)
		p.write(d.element(id+".value[x]", "Extension.extension.value[x]").Set("min", "1"))
	}
	d.element("Extension.url", "Extension.url").Set("fixedUri", x.url)
	v := d.element("Extension.value[x]", "Extension.value[x]")
	if x.parts != nil {
		v.Set("max", "0")
	} else {
		x.value.write(v.Set("min", "1"))
	}
	return r
}

func (v value) most() string {
	if v.Max == "" {
		return "1"
	}
	return v.Max
}

// write restricts value[x].
func (v value) write(e *fhir.Element) {
	t := e.Add("type").Set("code", v.Type)
	for _, target := range v.Targets {
		t.Add("targetProfile").SetValue(target)
	}
	if v.Codes != nil {
		bind(e, "required", valueSetURL(v.Codes))
	}
}

func bind(e *fhir.Element, strength, valueSet string) {
	e.Add("binding").Set("strength", strength).Set("valueSet", valueSet)
}

// differential is the list of what a profile changes.
type differential struct{ *fhir.Element }

func (d differential) element(id, path string) *fhir.Element {
	return d.Add("element").Set("id", id).Set("path", path)
}

func structure(url, name, title, kind, typeName, base string) *fhir.Element {
	r := head("StructureDefinition", url, name, title)
	r.Set("description", title+"。").Set("fhirVersion", "4.0.1").Set("kind", kind).Set("abstract", "false")
	r.Set("type", typeName).Set("baseDefinition", base).Set("derivation", "constraint")
	return r
}

// camel turns the last part of a URL into a slice name: "care-level" becomes
// "careLevel".
func camel(url string) string {
	words := strings.Split(url[strings.LastIndexByte(url, '/')+1:], "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}
