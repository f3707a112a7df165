// Package life maps records of LIFE (科学的介護情報システム) from its external
// interface CSV to Observations, a QuestionnaireResponse that keeps each row
// whole, and a feedback sheet for the person (利用者フィードバック票).
//
// A file is one kind of data: line 1 names the kind, line 2 the item ids, then
// one record a line; files that begin with the item ids are read too, as both
// are in use. Columns may come in any order. UTF-8 or Shift_JIS.
//
// Known layouts: 利用者情報 and 科学的介護推進 of 2021, and ADL維持等 of 2021 and
// 2024. Of the 2024 form of 科学的介護推進 (interface version 0310) no public
// layout was found: its items that kept their ids are mapped, the others are
// kept as text.
package life

import (
	"strconv"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// The kinds of data, as line 1 of a file names them.
const (
	kindUser      = "SERVICE_USER_INFO"
	kindPromotion = "FORM_0000_2021"
	kindADL       = "FORM_0900_2021"
	kindADL2024   = "ADL_MAINTENANCE_ADDITION_2024"
)

// The sections into which this package groups the items.
const (
	sectionGeneral   = "評価"
	sectionADL       = "ADL（Barthel Index）"
	sectionStatus    = "在宅復帰・サービス利用の状況"
	sectionNutrition = "栄養状態"
	sectionOral      = "口腔・誤嚥性肺炎"
	sectionDementia  = "認知症（DBD13・意欲）"
	sectionVersion   = "ファイル"
)

// lists are the coded answers, by the name under which a column refers to
// them. The codes of the LifeAnswer code system are name.number.
var lists = map[string][]string{
	"yes-no":         {"0 無し", "1 有り"},
	"applies":        {"0 該当無し", "1 該当有り"},
	"place":          {"1 施設", "2 通所・居宅"},
	"nursing-time":   {"1 ほとんど終日", "2 半日程度", "3 ２～３時間程度", "4 必要な時に手をかす程度", "5 その他"},
	"help":           {"0 全介助", "1 一部介助", "2 自立"},
	"transfer":       {"0 全介助", "1 座れるが移れない", "2 監視下", "3 自立"},
	"walking":        {"0 全介助", "1 車椅子操作が可能", "2 歩行器等", "3 自立"},
	"continued":      {"1 入所／サービス継続中", "2 中止"},
	"departure":      {"1 居宅", "2 介護老人福祉施設入所", "3 介護老人保健施設入所", "4 介護医療院入所", "5 介護療養型医療施設入院", "6 医療機関入院", "7 死亡", "8 その他"},
	"risk":           {"1 低", "2 中", "3 高"},
	"oral-intake":    {"0 無し", "1 一部", "2 完全"},
	"meal-form":      {"01 嚥下訓練食品0j", "02 嚥下訓練食品0t", "10 嚥下調整食1j", "21 嚥下調整食2-1", "22 嚥下調整食2-2", "30 嚥下調整食3", "40 嚥下調整食4", "50 常食"},
	"thickening":     {"0 無し", "1 薄い", "2 中間", "3 濃い"},
	"dbd":            {"0 全くない", "1 ほとんどない", "2 ときどきある", "3 よくある", "4 常にある"},
	"waking":         {"0 自分から起床することはない", "1 起こさないと起床しないことがある", "2 いつも定時に起床している"},
	"communication":  {"0 反応がない", "1 挨拶、呼びかけに対して返答や笑顔がみられる", "2 自分から挨拶する、話し掛ける"},
	"eating":         {"0 食事に関心がない、全く食べようとしない", "1 促されると食べようとする", "2 自分から進んで食べようとする"},
	"excretion":      {"0 排せつに全く関心がない", "1 時々、尿意便意を伝える", "2 いつも自ら便意尿意を伝える、あるいは自分で排尿、排便を行う"},
	"rehabilitation": {"0 拒否、無関心", "1 促されて向かう", "2 自らリハビリに向かう、活動を求める"},
}

// listNames is the order in which lists are published.
var listNames = []string{"yes-no", "applies", "place", "nursing-time", "help", "transfer", "walking", "continued", "departure", "risk",
	"oral-intake", "meal-form", "thickening", "dbd", "waking", "communication", "eating", "excretion", "rehabilitation"}

// encodings are the lists as encodings.
var encodings = sync.OnceValue(func() map[string]*codes.Encoding {
	all := make(map[string]*codes.Encoding, len(lists))
	for name, answers := range lists {
		t := &codes.Table{URL: care.LifeAnswerSystem, ID: "life-answer"}
		e := &codes.Encoding{Table: t, Written: map[string]string{}}
		for _, a := range answers {
			written, words, _ := strings.Cut(a, " ")
			t.Concepts = append(t.Concepts, codes.Concept{Code: name + "." + written, Ja: words})
			e.Written[written] = name + "." + written
			e.Order = append(e.Order, written)
		}
		all[name] = e
	}
	return all
})

func list(name string) func() *codes.Encoding {
	return func() *codes.Encoding { return encodings()[name] }
}

// in sets the section of columns.
func in(section string, columns ...form.Column) []form.Column {
	for i := range columns {
		columns[i].Section = section
	}
	return columns
}

func coded(id, name, answers string) form.Column {
	return form.Column{ID: id, Name: name, Kind: form.Code, Codes: list(answers)}
}

func day(id, name string) form.Column { return form.Column{ID: id, Name: name, Kind: form.Day} }

func measured(id, name string) form.Column {
	return form.Column{ID: id, Name: name, Kind: form.Decimal}
}

var (
	office      = form.Column{ID: "care_facility_id", Name: "事業所番号", Kind: form.OfficeNo, Required: true}
	serviceCode = form.Column{ID: "service_code", Name: "サービス種類コード", Kind: form.Code, Required: true, Codes: func() *codes.Encoding { return codes.Same(codes.ServiceKinds()) }}
	external    = form.Column{ID: "external_system_management_number", Name: "外部システム管理番号", Max: 150, Required: true}
	insurer     = form.Column{ID: "insurer_no", Name: "保険者番号", Kind: form.InsurerNo, Required: true}
	insured     = form.Column{ID: "insured_no", Name: "被保険者番号", Kind: form.InsuredNo, Required: true}
	version     = form.Column{ID: "version", Name: "バージョン番号", Max: 4, Section: sectionVersion}
	job         = form.Column{ID: "record_staff_job_category", Name: "記入者職員職種", Kind: form.Code, Codes: func() *codes.Encoding { return codes.Same(codes.Jobs()) }, Section: sectionGeneral}
	elderly     = form.Column{ID: "impaired_elderly_independence_degree", Name: "障害高齢者の日常生活自立度", Kind: form.Code, Codes: codes.ElderlyRankNumbers, Section: sectionGeneral}
	dementia    = form.Column{ID: "dementia_elderly_independence_degree", Name: "認知症高齢者の日常生活自立度", Kind: form.Code, Codes: codes.DementiaRankNumbers, Section: sectionGeneral}
	careLevel   = form.Column{ID: "care_level", Name: "要介護度", Kind: form.Code, Codes: func() *codes.Encoding { return codes.Same(codes.CareLevels()) }}
)

// User is 利用者情報.
var User = sync.OnceValue(func() *form.Sheet {
	return form.NewSheet(care.LifeFeedback, "LIFE 利用者情報",
		office, serviceCode, external, insurer, insured,
		form.Column{ID: "last_name", Name: "利用者姓", Max: 30, Required: true},
		form.Column{ID: "first_name", Name: "利用者名", Max: 30, Required: true},
		form.Column{ID: "last_name_kana", Name: "利用者姓半角カナ", Max: 30},
		form.Column{ID: "first_name_kana", Name: "利用者名半角カナ", Max: 30},
		form.Column{ID: "gender", Name: "利用者性別", Kind: form.Code, Codes: codes.Genders, Required: true},
		form.Column{ID: "birthday", Name: "利用者生年月日", Kind: form.Day, Required: true},
		day("certified_date", "認定日"),
		day("care_period_start", "利用者介護認定年月日（開始）"), day("care_period_end", "利用者介護認定年月日（終了）"),
		form.Column{ID: "care_level", Name: "要介護度", Kind: form.Code, Codes: careLevel.Codes, Required: true},
		elderly, dementia,
		day("start_date", "利用開始日（入所日）"), day("end_date", "利用終了日（退所日）"), day("death_date", "死亡日"),
		form.Column{ID: "remarks", Name: "備考", Max: 200}, version)
})

// barthel are the ten items of the Barthel Index.
func barthel() []form.Column {
	var columns []form.Column
	for _, b := range barthelItems {
		columns = append(columns, coded(b.id, b.name, b.answers))
	}
	return in(sectionADL, columns...)
}

// Promotion is 科学的介護推進: 89 items in the 2021 edition.
var Promotion = sync.OnceValue(func() *form.Sheet {
	columns := []form.Column{office, serviceCode, insurer, insured, external}
	add := func(section string, more ...form.Column) { columns = append(columns, in(section, more...)...) }
	evaluated := day("evaluate_date", "評価日")
	evaluated.Required = true
	add(sectionGeneral,
		coded("facility_outpatient_category", "施設／通所・居宅区分", "place"), evaluated, day("last_evaluate_date", "前回評価日"), job,
		form.Column{ID: "filing_staff", Name: "記入者名", Max: 18}, elderly, dementia,
		coded("family_01", "同居家族等の有無", "yes-no"), coded("family_02", "同居家族等（配偶者）", "yes-no"), coded("family_03", "同居家族等（子）", "yes-no"),
		coded("family_other", "同居家族等（その他）", "yes-no"), coded("family_nursing_time", "家族等が介護できる時間", "nursing-time"))
	add(sectionADL, day("adl_evaluate", "ADL評価日"))
	columns = append(columns, barthel()...)
	add(sectionStatus, coded("remote_working", "在宅復帰の有無等", "continued"), day("departure_date", "中止日"), coded("departure", "中止理由", "departure"))
	add(sectionNutrition,
		day("nutrition_evalaute_date", "栄養評価日"), // the interface spells it so
		measured("height", "身長"), measured("weight", "体重"), coded("low_operating_risk_level", "低栄養状態のリスクレベル", "risk"),
		coded("is_nutrition_supply_method_enteral_nutrition", "経腸栄養法", "yes-no"), coded("is_nutrition_supply_method_parenteral_nutrition", "静脈栄養法", "yes-no"),
		coded("food_form_ingestion", "経口摂取", "oral-intake"), coded("is_need_swallowing_adjusted_food", "嚥下調整食品の必要性", "yes-no"),
		coded("meal_form", "食事の形態（コード）", "meal-form"), coded("thickening", "とろみ", "thickening"),
		measured("dietary_intake", "食事摂取量（全体）"), measured("staple_food_intake", "主食の摂取量"), measured("side_dish_intake", "副食の摂取量"),
		measured("required_nutrients_energy", "必要栄養量_エネルギー"), measured("required_nutrients_protein", "必要栄養量_たんぱく質"),
		measured("provided_nutrients_energy", "提供栄養量_エネルギー"), measured("provided_nutrients_protein", "提供栄養量_たんぱく質"),
		coded("is_serum_albumin_value", "血清アルブミン値_有無", "yes-no"), measured("serum_albumin_value", "血清アルブミン値"), coded("bedsore", "褥瘡", "yes-no"))
	add(sectionOral,
		coded("nursing_facility_services_01", "施設：歯・入れ歯が汚れている", "applies"), coded("nursing_facility_services_02", "施設：歯が少ないのに入れ歯を使っていない", "applies"),
		coded("nursing_facility_services_03", "施設：むせやすい", "applies"), coded("visit_services_01", "通所・居宅：硬いものを避け柔らかいものばかり食べる", "applies"),
		coded("visit_services_02", "通所・居宅：入れ歯を使っている", "applies"), coded("visit_services_03", "通所・居宅：むせやすい", "applies"),
		day("aspiration_pneumonitis_evaluate", "誤嚥性肺炎の発症・既往の評価日"), coded("aspiration_pneumonitis_flag", "誤嚥性肺炎の発症・既往", "yes-no"),
		day("date_of_onset_01", "発症日(1)"), day("date_of_onset_02", "発症日(2)"), day("date_of_onset_03", "発症日(3)"), day("date_of_onset_04", "発症日(4)"), day("date_of_onset_05", "発症日(5)"))
	add(sectionDementia,
		coded("diagnosis_of_dementia_flag", "認知症の診断の有無", "yes-no"), day("diagnosis_of_dementia_date", "診断日"),
		coded("diagnosis_of_dementia_01", "アルツハイマー病", "applies"), coded("diagnosis_of_dementia_02", "血管性認知症", "applies"),
		coded("diagnosis_of_dementia_03", "レビー小体病", "applies"), coded("diagnosis_of_dementia_other", "その他", "applies"),
		form.Column{ID: "diagnosis_of_dementia_other_name", Name: "その他（具体的に）", Max: 50})
	for i, question := range dbdItems {
		add(sectionDementia, coded(numbered("dbd13_", i), question, "dbd"))
	}
	for i, v := range vitalityItems {
		add(sectionDementia, coded(numbered("vitality_index_", i), v.name, v.answers))
	}
	s := form.NewSheet(care.LifeFeedback, "LIFE 科学的介護推進", append(columns, version)...)
	s.Open = true
	return s
})

// ADL is ADL維持等 of 2021 and 2024.
var ADL = sync.OnceValue(func() *form.Sheet {
	columns := []form.Column{office, serviceCode, insurer, insured, external}
	columns = append(columns, in(sectionGeneral, careLevel, job, elderly, dementia)...)
	columns = append(columns, in(sectionADL, day("adl_evaluate", "ADL評価日"), day("evaluate_date", "評価日"), form.Column{ID: "status", Name: "評価時点"})...)
	columns = append(columns, barthel()...)
	columns = append(columns, in(sectionStatus, coded("first_month", "初月対象", "applies"), coded("sixth_month", "６ヶ月目対象", "applies"), coded("seven_month", "７ヶ月目対象", "applies"))...)
	s := form.NewSheet(care.LifeFeedback, "LIFE ADL維持等", append(columns, version)...)
	s.Open = true
	return s
})

func numbered(prefix string, i int) string {
	n := strconv.Itoa(i + 1)
	if len(n) < 2 {
		n = "0" + n
	}
	return prefix + n
}

// Items and Answers are the items and coded answers as code systems.
var (
	Items = sync.OnceValue(func() *codes.Table {
		t := &codes.Table{URL: care.LifeItemSystem, ID: "life-item", Name: "LifeItem", Title: "Items of LIFE", TitleJa: "LIFE の項目"}
		t.Concepts = append(t.Concepts,
			codes.Concept{Code: "dbd13", Ja: "DBD13", En: "Dementia Behavior Disturbance Scale, 13 items"},
			codes.Concept{Code: "vitality_index", Ja: "Vitality Index（意欲の指標）", En: "Vitality Index"})
		seen := map[string]bool{}
		for _, s := range []*form.Sheet{Promotion(), ADL()} {
			for _, c := range s.Columns {
				if c.Section != "" && !seen[c.ID] {
					seen[c.ID] = true
					t.Concepts = append(t.Concepts, codes.Concept{Code: c.ID, Ja: c.Name})
				}
			}
		}
		return t
	})
	Answers = sync.OnceValue(func() *codes.Table {
		t := &codes.Table{URL: care.LifeAnswerSystem, ID: "life-answer", Name: "LifeAnswer", Title: "Coded answers of LIFE", TitleJa: "LIFE の選択肢"}
		for _, name := range listNames {
			t.Concepts = append(t.Concepts, encodings()[name].Table.Concepts...)
		}
		return t
	})
)
