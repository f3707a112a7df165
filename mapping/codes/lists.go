package codes

import (
	"strconv"
	"sync"

	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Tables lists every shared table, for publication.
func Tables() []*Table {
	return []*Table{
		Forms(), CareLevels(), ElderlyRanks(), DementiaRanks(), ServiceKinds(), Jobs(),
		OrganizationKinds(), PlanKinds(), GoalTerms(), CoverageTypes(), BenefitUnits(),
	}
}

// CareLevels are 要介護状態区分, written alike in LIFE, the care-plan standard
// and claims.
var CareLevels = sync.OnceValue(func() *Table {
	return table(care.CareLevelSystem, "CareLevel", "Care level (youkaigo-do)", "要介護状態区分",
		Concept{"01", "非該当", "Not certified"},
		Concept{"06", "事業対象者", "Eligible for the comprehensive project"},
		Concept{"11", "要支援（経過的要介護）", "Support (transitional)"},
		Concept{"12", "要支援１", "Support level 1"},
		Concept{"13", "要支援２", "Support level 2"},
		Concept{"21", "要介護１", "Care level 1"},
		Concept{"22", "要介護２", "Care level 2"},
		Concept{"23", "要介護３", "Care level 3"},
		Concept{"24", "要介護４", "Care level 4"},
		Concept{"25", "要介護５", "Care level 5"},
	)
})

// ElderlyRanks are 障害高齢者の日常生活自立度 (寝たきり度).
var ElderlyRanks = sync.OnceValue(func() *Table {
	return table(care.ElderlyRankSystem, "ElderlyIndependence", "Independence of elderly people with disability", "障害高齢者の日常生活自立度",
		Concept{"independent", "自立", "Independent"},
		Concept{"J1", "J1", "J1: goes out by public transport"},
		Concept{"J2", "J2", "J2: goes out in the neighbourhood"},
		Concept{"A1", "A1", "A1: goes out with help, mostly out of bed"},
		Concept{"A2", "A2", "A2: seldom goes out, in and out of bed"},
		Concept{"B1", "B1", "B1: wheelchair, eats and toilets out of bed"},
		Concept{"B2", "B2", "B2: wheelchair with help"},
		Concept{"C1", "C1", "C1: in bed, turns over alone"},
		Concept{"C2", "C2", "C2: in bed, cannot turn over"},
	)
})

// DementiaRanks are 認知症高齢者の日常生活自立度.
var DementiaRanks = sync.OnceValue(func() *Table {
	return table(care.DementiaRankSystem, "DementiaIndependence", "Independence of elderly people with dementia", "認知症高齢者の日常生活自立度",
		Concept{"independent", "自立", "Independent"},
		Concept{"I", "Ⅰ", "I: some dementia, nearly independent"},
		Concept{"IIa", "Ⅱa", "IIa: trouble outside the home"},
		Concept{"IIb", "Ⅱb", "IIb: trouble inside the home"},
		Concept{"IIIa", "Ⅲa", "IIIa: needs care, mostly by day"},
		Concept{"IIIb", "Ⅲb", "IIIb: needs care, mostly at night"},
		Concept{"IV", "Ⅳ", "IV: needs care at all times"},
		Concept{"M", "M", "M: needs medical treatment"},
	)
})

func digits(width int) func(int) string {
	return func(n int) string {
		s := strconv.Itoa(n)
		for len(s) < width {
			s = "0" + s
		}
		return s
	}
}

// The ways the independence ranks are written: LIFE and the opinion count them
// from 1, the care-plan standard has codes of two digits.
var (
	ElderlyRankNumbers  = sync.OnceValue(func() *Encoding { return Numbered(ElderlyRanks(), 1, digits(1)) })
	DementiaRankNumbers = sync.OnceValue(func() *Encoding { return Numbered(DementiaRanks(), 1, digits(1)) })
	ElderlyRankPlan     = sync.OnceValue(func() *Encoding {
		e := &Encoding{Table: ElderlyRanks(), Written: map[string]string{}, Order: []string{"01", "11", "12", "21", "22", "31", "32", "41", "42"}}
		for i, w := range e.Order {
			e.Written[w] = ElderlyRanks().Concepts[i].Code
		}
		return e
	})
	DementiaRankPlan = sync.OnceValue(func() *Encoding { return Numbered(DementiaRanks(), 1, digits(2)) })
)

// Forms are the rows of the national sharing matrix.
var Forms = sync.OnceValue(func() *Table {
	return table(care.FormSystem, "CareForm", "Forms of long-term care", "介護情報の様式",
		Concept{care.CertificationSurvey, "認定調査票", "Certification survey"},
		Concept{care.PhysicianOpinion, "主治医意見書", "Physician's opinion"},
		Concept{care.InsuredCard, "介護保険被保険者証", "Insured card"},
		Concept{care.BurdenRatioCard, "介護保険負担割合証", "Burden ratio card"},
		Concept{care.BurdenLimitCard, "介護保険負担限度額認定証", "Burden limit card"},
		Concept{care.CertificationApplication, "要介護認定申請書", "Application for certification"},
		Concept{care.BenefitManagementSheet, "給付管理票", "Benefit management sheet"},
		Concept{care.CareManagementClaimDetail, "居宅介護支援介護給付費明細書", "Claim detail of care management"},
		Concept{care.ServiceClaims, "介護給付費請求書・明細書", "Service claims"},
		Concept{care.LifeFeedback, "LIFE情報（利用者フィードバック票）", "LIFE record and feedback sheet"},
		Concept{care.HomeCarePlan, "居宅サービス計画書（第1・2・3・6・7表）", "Home care plan"},
		Concept{care.FacilityCarePlan, "施設サービス計画書（第1・2・3表）", "Facility care plan"},
	)
})

// OrganizationKinds are the kinds of organisations in the sharing matrix.
var OrganizationKinds = sync.OnceValue(func() *Table {
	return table(care.OrganizationKindSystem, "OrganizationKind", "Kinds of organisations in long-term care", "介護関係機関の種類",
		Concept{care.KindMunicipality, "市区町村（保険者）", "Municipality (insurer)"},
		Concept{care.KindCareOffice, "介護事業所", "Care office"},
		Concept{care.KindCareManagerOffice, "居宅介護支援事業所", "Care-manager office"},
		Concept{care.KindMedicalInstitution, "医療機関", "Medical institution"},
	)
})

// PlanKinds are the kinds of care plans and 計画書区分 of the first sheet.
var PlanKinds = sync.OnceValue(func() *Table {
	return table(care.PlanKindSystem, "CarePlanKind", "Kinds of care plans", "ケアプランの種類",
		Concept{"home", "居宅サービス計画", "Home care plan"},
		Concept{"facility", "施設サービス計画", "Facility care plan"},
		Concept{"prevention", "介護予防サービス計画", "Preventive care plan"},
		Concept{"11", "初回", "First plan"},
		Concept{"12", "紹介", "By referral"},
		Concept{"21", "継続", "Continued"},
		Concept{"51", "初回・紹介", "First plan, by referral"},
		Concept{"52", "初回・継続", "First plan, continued"},
		Concept{"53", "紹介・継続", "By referral, continued"},
		Concept{"54", "初回・紹介・継続", "First plan, by referral, continued"},
	)
})

// GoalTerms tell long-term goals from short-term ones.
var GoalTerms = sync.OnceValue(func() *Table {
	return table(care.GoalTermSystem, "CareGoalTerm", "Terms of goals", "援助目標の区分",
		Concept{"long", "長期目標", "Long-term goal"},
		Concept{"short", "短期目標", "Short-term goal"},
	)
})

// CoverageTypes has the one type of insurance this guide is about.
var CoverageTypes = sync.OnceValue(func() *Table {
	return table(care.CoverageTypeSystem, "CoverageType", "Long-term care insurance", "介護保険",
		Concept{"ltc", "介護保険", "Long-term care insurance"},
	)
})

// BenefitUnits has the unit in which services are counted and limited.
var BenefitUnits = sync.OnceValue(func() *Table {
	return table(care.UnitSystem, "BenefitUnit", "Unit of benefits", "単位",
		Concept{"unit-per-month", "単位／月", "Units a month"},
		Concept{"unit", "単位", "Units"},
	)
})

// genderTable has the two values the forms know.
var genderTable = sync.OnceValue(func() *Table {
	return &Table{URL: "http://hl7.org/fhir/administrative-gender", ID: "administrative-gender", Concepts: []Concept{
		{"male", "男", "Male"}, {"female", "女", "Female"},
	}}
})

// Genders writes 1 for male and 2 for female.
var Genders = sync.OnceValue(func() *Encoding { return Numbered(genderTable(), 1, digits(1)) })

// Jobs are 職種 of LIFE.
var Jobs = sync.OnceValue(func() *Table {
	return table(care.JobSystem, "LifeJob", "Jobs in LIFE", "職種（LIFE）",
		Concept{"010", "医師", "Physician"}, Concept{"020", "歯科医師", "Dentist"},
		Concept{"030", "薬剤師", "Pharmacist"}, Concept{"040", "看護師", "Nurse"},
		Concept{"050", "准看護師", "Assistant nurse"}, Concept{"060", "保健師", "Public health nurse"},
		Concept{"070", "助産師", "Midwife"}, Concept{"080", "理学療法士", "Physical therapist"},
		Concept{"090", "作業療法士", "Occupational therapist"}, Concept{"100", "言語聴覚士", "Speech therapist"},
		Concept{"110", "柔道整復師", "Judo therapist"}, Concept{"120", "あん摩マッサージ指圧師", "Massage therapist"},
		Concept{"125", "はり師・きゅう師", "Acupuncturist"}, Concept{"130", "歯科衛生士", "Dental hygienist"},
		Concept{"140", "精神保健福祉士", "Mental health social worker"}, Concept{"150", "介護支援専門員", "Care manager"},
		Concept{"160", "社会福祉士", "Social worker"}, Concept{"170", "介護福祉士", "Care worker"},
		Concept{"180", "福祉用具専門相談員", "Assistive device adviser"}, Concept{"190", "管理栄養士", "Registered dietitian"},
		Concept{"200", "栄養士", "Dietitian"}, Concept{"210", "その他", "Other"}, Concept{"999", "不明", "Unknown"},
	)
})

// ServiceKinds are the two characters of サービス種類.
var ServiceKinds = sync.OnceValue(func() *Table {
	return table(care.ServiceKindSystem, "ServiceKind", "Kinds of long-term care services", "サービス種類",
		Concept{"11", "訪問介護", "Home help"}, Concept{"12", "訪問入浴介護", "Home bathing"},
		Concept{"13", "訪問看護", "Home nursing"}, Concept{"14", "訪問リハビリテーション", "Home rehabilitation"},
		Concept{"15", "通所介護", "Day care"}, Concept{"16", "通所リハビリテーション", "Day rehabilitation"},
		Concept{"17", "福祉用具貸与", "Rental of assistive devices"}, Concept{"21", "短期入所生活介護", "Short stay"},
		Concept{"22", "短期入所療養介護（介護老人保健施設）", "Short stay with medical care (health facility)"},
		Concept{"23", "短期入所療養介護（病院等）", "Short stay with medical care (hospital)"},
		Concept{"24", "介護予防短期入所生活介護", "Preventive short stay"},
		Concept{"25", "介護予防短期入所療養介護（介護老人保健施設）", "Preventive short stay with medical care (health facility)"},
		Concept{"26", "介護予防短期入所療養介護（病院等）", "Preventive short stay with medical care (hospital)"},
		Concept{"27", "特定施設入居者生活介護（短期利用型）", "Assisted living (short use)"},
		Concept{"28", "地域密着型特定施設入居者生活介護（短期利用型）", "Community assisted living (short use)"},
		Concept{"2A", "短期入所療養介護（介護医療院）", "Short stay with medical care (integrated facility)"},
		Concept{"2B", "介護予防短期入所療養介護（介護医療院）", "Preventive short stay with medical care (integrated facility)"},
		Concept{"31", "居宅療養管理指導", "Home medical management guidance"},
		Concept{"32", "認知症対応型共同生活介護", "Group home for dementia"},
		Concept{"33", "特定施設入居者生活介護", "Assisted living"},
		Concept{"34", "介護予防居宅療養管理指導", "Preventive home medical management guidance"},
		Concept{"35", "介護予防特定施設入居者生活介護", "Preventive assisted living"},
		Concept{"36", "地域密着型特定施設入居者生活介護", "Community assisted living"},
		Concept{"37", "介護予防認知症対応型共同生活介護", "Preventive group home for dementia"},
		Concept{"38", "認知症対応型共同生活介護（短期利用型）", "Group home for dementia (short use)"},
		Concept{"39", "介護予防認知症対応型共同生活介護（短期利用型）", "Preventive group home for dementia (short use)"},
		Concept{"41", "特定福祉用具販売", "Sale of assistive devices"}, Concept{"42", "住宅改修", "Home modification"},
		Concept{"43", "居宅介護支援", "Care management"}, Concept{"44", "特定介護予防福祉用具販売", "Preventive sale of assistive devices"},
		Concept{"45", "介護予防住宅改修", "Preventive home modification"}, Concept{"46", "介護予防支援", "Preventive care management"},
		Concept{"51", "介護福祉施設サービス", "Nursing home"}, Concept{"52", "介護保健施設サービス", "Health facility"},
		Concept{"53", "介護療養施設サービス", "Sanatorium facility"}, Concept{"54", "地域密着型介護老人福祉施設入所者生活介護", "Community nursing home"},
		Concept{"55", "介護医療院サービス", "Integrated facility"}, Concept{"61", "介護予防訪問介護", "Preventive home help"},
		Concept{"62", "介護予防訪問入浴介護", "Preventive home bathing"}, Concept{"63", "介護予防訪問看護", "Preventive home nursing"},
		Concept{"64", "介護予防訪問リハビリテーション", "Preventive home rehabilitation"}, Concept{"65", "介護予防通所介護", "Preventive day care"},
		Concept{"66", "介護予防通所リハビリテーション", "Preventive day rehabilitation"}, Concept{"67", "介護予防福祉用具貸与", "Preventive rental of assistive devices"},
		Concept{"68", "小規模多機能型居宅介護（短期利用型）", "Small multifunctional care (short use)"},
		Concept{"69", "介護予防小規模多機能型居宅介護（短期利用型）", "Preventive small multifunctional care (short use)"},
		Concept{"71", "夜間対応型訪問介護", "Night home help"}, Concept{"72", "認知症対応型通所介護", "Day care for dementia"},
		Concept{"73", "小規模多機能型居宅介護", "Small multifunctional care"}, Concept{"74", "介護予防認知症対応型通所介護", "Preventive day care for dementia"},
		Concept{"75", "介護予防小規模多機能型居宅介護", "Preventive small multifunctional care"},
		Concept{"76", "定期巡回・随時対応型訪問介護看護", "Round-the-clock home help and nursing"},
		Concept{"77", "看護小規模多機能型居宅介護", "Small multifunctional care with nursing"},
		Concept{"78", "地域密着型通所介護", "Community day care"}, Concept{"79", "看護小規模多機能型居宅介護（短期利用型）", "Small multifunctional care with nursing (short use)"},
		Concept{"A1", "訪問型サービス（みなし）", "Visiting service (deemed)"}, Concept{"A2", "訪問型サービス（独自）", "Visiting service"},
		Concept{"A3", "訪問型サービス（独自・定率）", "Visiting service (rate)"}, Concept{"A4", "訪問型サービス（独自・定額）", "Visiting service (fixed)"},
		Concept{"A5", "通所型サービス（みなし）", "Day service (deemed)"}, Concept{"A6", "通所型サービス（独自）", "Day service"},
		Concept{"A7", "通所型サービス（独自・定率）", "Day service (rate)"}, Concept{"A8", "通所型サービス（独自・定額）", "Day service (fixed)"},
		Concept{"A9", "その他の生活支援サービス（配食・定率）", "Living support: meals (rate)"}, Concept{"AA", "その他の生活支援サービス（配食・定額）", "Living support: meals (fixed)"},
		Concept{"AB", "その他の生活支援サービス（見守り・定率）", "Living support: watching over (rate)"}, Concept{"AC", "その他の生活支援サービス（見守り・定額）", "Living support: watching over (fixed)"},
		Concept{"AD", "その他の生活支援サービス（その他・定率）", "Living support: other (rate)"}, Concept{"AE", "その他の生活支援サービス（その他・定額）", "Living support: other (fixed)"},
		Concept{"AF", "介護予防ケアマネジメント", "Preventive care management (project)"},
	)
})
