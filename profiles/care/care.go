// Package care is the kaigofhir implementation guide as data: the canonical
// URLs of its profiles, code systems and identifier systems, and the published
// JSON itself. It is a first version of its own: no Japanese FHIR profile for
// long-term care (介護) exists to derive from.
// https://hl7.org/fhir/R4/profiling.html
package care

// Canonical is the base of every URL this guide defines.
const Canonical = "https://kaigofhir.github.io/fhir"

// Version of every published resource.
const Version = "0.1.0"

// FormSystem is the code system of the care forms: the rows of the national
// sharing matrix. Every resource that came from a form carries one of its codes
// in meta.security.
const FormSystem = Canonical + "/CodeSystem/care-form"

// The forms, with the codes the sharing matrix uses.
const (
	CertificationSurvey       = "certification-survey"         // 認定調査票
	PhysicianOpinion          = "physician-opinion"            // 主治医意見書
	InsuredCard               = "insured-card"                 // 介護保険被保険者証
	BurdenRatioCard           = "burden-ratio-card"            // 負担割合証
	BurdenLimitCard           = "burden-limit-card"            // 負担限度額認定証
	CertificationApplication  = "certification-application"    // 要介護認定申請書
	BenefitManagementSheet    = "benefit-management-sheet"     // 給付管理票
	CareManagementClaimDetail = "care-management-claim-detail" // 居宅介護支援介護給付費明細書
	ServiceClaims             = "service-claims"               // 介護給付費請求書・明細書
	LifeFeedback              = "life-feedback"                // LIFE 情報・利用者フィードバック票
	HomeCarePlan              = "home-care-plan"               // 居宅サービス計画書
	FacilityCarePlan          = "facility-care-plan"           // 施設サービス計画書
)

// Forms lists every form code in the order of the sharing matrix.
func Forms() []string {
	return []string{
		CertificationSurvey, PhysicianOpinion, InsuredCard, BurdenRatioCard, BurdenLimitCard,
		CertificationApplication, BenefitManagementSheet, CareManagementClaimDetail, ServiceClaims,
		LifeFeedback, HomeCarePlan, FacilityCarePlan,
	}
}

// Identifier systems of this guide. Japan has none for long-term care.
const (
	// InsurerNumber identifies an insurer (保険者番号): 6 digits.
	InsurerNumber = Canonical + "/IdSystem/ltc-insurer-number"
	// InsuredNumber identifies an insured person: the insurer's number, a
	// colon, the 10 digits (or H and 9) of the 被保険者番号. The latter alone is
	// unique only within an insurer.
	InsuredNumber = Canonical + "/IdSystem/ltc-insured-number"
	// OfficeNumber identifies a designated care office (事業所番号): 10 digits.
	OfficeNumber = Canonical + "/IdSystem/ltc-office-number"
	// CareManagerNumber identifies a care manager (介護支援専門員番号): 8 digits.
	CareManagerNumber = Canonical + "/IdSystem/care-manager-number"
	// OpinionPhysicianNumber identifies a physician within a medical
	// institution: the institution's number, a colon, the 医師番号.
	OpinionPhysicianNumber = Canonical + "/IdSystem/opinion-physician-number"
	// OpinionRequestNumber identifies an insurer's request for an opinion
	// (依頼番号): the insurer's number, a colon, the number.
	OpinionRequestNumber = Canonical + "/IdSystem/opinion-request-number"
	// OpinionNumber identifies an opinion: insurer, insured, institution and
	// date written, joined by colons.
	OpinionNumber = Canonical + "/IdSystem/opinion-number"
	// CarePlanNumber identifies a care plan: insurer, insured and the date the
	// plan was made or changed, joined by colons; goals append their numbers.
	CarePlanNumber = Canonical + "/IdSystem/care-plan-number"
	// LifeRecordNumber identifies a LIFE record: office, service kind, form and
	// 外部システム管理番号, joined by colons; derived resources append their kind.
	LifeRecordNumber = Canonical + "/IdSystem/life-record-number"
	// CardNumber identifies the insured card of a person: insurer and insured
	// number joined by a colon.
	CardNumber = Canonical + "/IdSystem/insured-card-number"
	// MedicalInstitution is JP Core's system for the 10 digits of a medical
	// institution (医療機関コード).
	MedicalInstitution = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
)

// Profiles: the StructureDefinitions of this guide.
const (
	PatientProfile         = Canonical + "/StructureDefinition/care-patient"
	OrganizationProfile    = Canonical + "/StructureDefinition/care-organization"
	PractitionerProfile    = Canonical + "/StructureDefinition/care-practitioner"
	OpinionProfile         = Canonical + "/StructureDefinition/opinion-reference"
	OpinionDocumentProfile = Canonical + "/StructureDefinition/opinion-document"
	OpinionComposition     = Canonical + "/StructureDefinition/opinion-composition"
	OpinionCondition       = Canonical + "/StructureDefinition/opinion-condition"
	OpinionObservation     = Canonical + "/StructureDefinition/opinion-observation"
	OpinionAnswers         = Canonical + "/StructureDefinition/opinion-answers"
	CarePlanProfile        = Canonical + "/StructureDefinition/care-plan"
	GoalProfile            = Canonical + "/StructureDefinition/care-goal"
	InsuredCardProfile     = Canonical + "/StructureDefinition/insured-card"
	LifeObservation        = Canonical + "/StructureDefinition/life-observation"
	BarthelPanelProfile    = Canonical + "/StructureDefinition/barthel-panel"
	LifeAnswers            = Canonical + "/StructureDefinition/life-answers"
	LifeFeedbackProfile    = Canonical + "/StructureDefinition/life-feedback"
)

// Code systems of this guide.
const (
	CareLevelSystem        = Canonical + "/CodeSystem/care-level"            // 要介護状態区分
	ElderlyRankSystem      = Canonical + "/CodeSystem/elderly-independence"  // 障害高齢者の日常生活自立度
	DementiaRankSystem     = Canonical + "/CodeSystem/dementia-independence" // 認知症高齢者の日常生活自立度
	ServiceKindSystem      = Canonical + "/CodeSystem/service-kind"          // サービス種類
	JobSystem              = Canonical + "/CodeSystem/life-job"              // 職種
	OrganizationKindSystem = Canonical + "/CodeSystem/organization-kind"     // the five kinds
	DocumentTypeSystem     = FormSystem                                      // DocumentReference.type
	OpinionItemSystem      = Canonical + "/CodeSystem/opinion-item"          // items of the opinion
	OpinionAnswerSystem    = Canonical + "/CodeSystem/opinion-answer"        // coded answers of the opinion
	LifeItemSystem         = Canonical + "/CodeSystem/life-item"             // items of LIFE
	LifeAnswerSystem       = Canonical + "/CodeSystem/life-answer"           // coded answers of LIFE
	PlanKindSystem         = Canonical + "/CodeSystem/care-plan-kind"        // 居宅, 施設, 予防; 初回, 継続 …
	GoalTermSystem         = Canonical + "/CodeSystem/care-goal-term"        // 長期目標, 短期目標
	CoverageTypeSystem     = Canonical + "/CodeSystem/coverage-type"         // 介護保険
	UnitSystem             = Canonical + "/CodeSystem/benefit-unit"          // 単位
	SimpleObservation      = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
)

// Kinds of organisation, codes of OrganizationKindSystem and of the matrix.
const (
	KindMunicipality       = "municipality"
	KindCareOffice         = "care_office"
	KindCareManagerOffice  = "care_manager_office"
	KindMedicalInstitution = "medical_institution"
)

// Questionnaires whose answers keep a form without loss.
const (
	OpinionQuestionnaire  = Canonical + "/Questionnaire/opinion"
	LifeQuestionnaireBase = Canonical + "/Questionnaire/life-" // + form, lower case, "-" for "_"
)

// Extensions of this guide.
const (
	CareLevelExtension      = Canonical + "/StructureDefinition/care-level"            // valueCodeableConcept
	IssuedDateExtension     = Canonical + "/StructureDefinition/issued-date"           // valueDate 交付年月日
	CertifiedDateExtension  = Canonical + "/StructureDefinition/certified-date"        // valueDate 認定年月日
	CertifiedPeriodExt      = Canonical + "/StructureDefinition/certified-period"      // valuePeriod 認定の有効期間
	BenefitLimitExtension   = Canonical + "/StructureDefinition/benefit-limit"         // valueQuantity 区分支給限度基準額, units a month
	ServiceLimitExtension   = Canonical + "/StructureDefinition/service-benefit-limit" // service + limit 種類支給限度基準額
	CommitteeOpinionExt     = Canonical + "/StructureDefinition/committee-opinion"     // valueString 認定審査会の意見
	BenefitRestrictionExt   = Canonical + "/StructureDefinition/benefit-restriction"   // content + period 給付制限
	CareManagerOfficeExt    = Canonical + "/StructureDefinition/care-manager-office"   // office + notified 居宅介護支援事業者
	FacilityStayExtension   = Canonical + "/StructureDefinition/facility-stay"         // kind + name + period 介護保険施設等
	GoalTermExtension       = Canonical + "/StructureDefinition/care-goal-term"        // valueCodeableConcept
	GoalNeedExtension       = Canonical + "/StructureDefinition/care-goal-need"        // valueString 課題
	GoalPeriodExtension     = Canonical + "/StructureDefinition/care-goal-period"      // valueString 期間 as written
	PeriodTextExtension     = Canonical + "/StructureDefinition/period-text"           // valueString 期間 as written
	InsuredServiceExtension = Canonical + "/StructureDefinition/insured-service"       // valueBoolean 保険給付対象
	PhysicianConsentExt     = Canonical + "/StructureDefinition/physician-consent"     // valueBoolean 同意欄, forms before 2026-04
	LifeScoreExtension      = Canonical + "/StructureDefinition/life-score"            // valueDecimal on an answer
	AssessmentResultExt     = Canonical + "/StructureDefinition/assessment-result"     // valueString 意向を踏まえた課題分析の結果
	FirstPlanExtension      = Canonical + "/StructureDefinition/first-plan-date"       // valueDate 初回計画作成日
	AuditChainExtension     = Canonical + "/StructureDefinition/audit-chain"           // lane, entry, previous: place of an AuditEvent in its chain
	PlanSheetExtension      = Canonical + "/StructureDefinition/care-plan-sheet"       // valueCode: 2, 3, 3-daily, 3-other
	HousekeepingReasonExt   = Canonical + "/StructureDefinition/housekeeping-reason"   // 生活援助中心型の算定理由
)
