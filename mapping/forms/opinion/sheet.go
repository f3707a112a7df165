// Package opinion maps the physician's opinion (主治医意見書) from the CSV that
// opinion software exports — format version 1.1, 121 columns, Shift_JIS, file
// name {事業所番号}_{yyyyMMdd}{nn}.csv — to a DocumentReference and a document
// Bundle. The export is a vendor format that became common; it follows the
// official form item by item. The consent box (column 29) was abolished on
// forms written from 2026-04-01 and is optional.
package opinion

import (
	"strconv"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Version is the format version this package reads.
const Version = "1.1"

// The sections of the form.
const (
	sectionBasic   = "基本情報"
	sectionIllness = "１．傷病に関する意見"
	sectionSpecial = "２．特別な医療（過去14日間以内に受けた医療）"
	sectionMind    = "３．心身の状態に関する意見"
	sectionLife    = "４．生活機能とサービスに関する意見"
	sectionRemarks = "５．特記すべき事項"
)

// Sections are the five numbered sections of the form, in order.
func Sections() []string {
	return []string{sectionIllness, sectionSpecial, sectionMind, sectionLife, sectionRemarks}
}

// Sheet is the rule sheet of the export: its 121 columns in order.
var Sheet = sync.OnceValue(func() *form.Sheet {
	columns := []form.Column{
		text("format", "FormatVersion", sectionBasic), // 1
		text("software", "SoftName", sectionBasic),
		text("stamp", "タイムスタンプ", sectionBasic),
		{ID: "insurer", Name: "保険者番号", Kind: form.InsurerNo, Required: true},
		text("insurer-name", "保険者名称", sectionBasic),
		{ID: "insured", Name: "被保険者番号", Kind: form.InsuredNo, Required: true},
		{ID: "institution", Name: "事業所番号", Kind: form.OfficeNo, Required: true},
		{ID: "applied", Name: "申請日", Kind: form.Day, Section: sectionBasic},
		{ID: "requested", Name: "作成依頼日", Kind: form.Day, Section: sectionBasic},
		{ID: "sent", Name: "送付日", Kind: form.Day, Section: sectionBasic}, // 10
		text("request", "依頼番号", sectionBasic),
		text("physician-number", "医師番号", sectionBasic),
		choice("place", "種別", sectionBasic, "在宅", "施設"),
		{ID: "written", Name: "記入日", Kind: form.Day, Required: true, Section: sectionBasic},
		text("kana", "患者名かな", ""),
		{ID: "name", Name: "患者名", Required: true},
		{ID: "birth", Name: "患者・生年月日", Kind: form.Day, Required: true},
		{ID: "age", Name: "患者・年齢", Kind: form.Integer, Max: 3, Section: sectionBasic},
		{ID: "gender", Name: "患者・性別", Kind: form.Code, Codes: codes.Genders, Required: true},
		text("postal", "患者・郵便番号", ""), // 20
		text("address", "患者・住所", ""),
		text("phone", "患者・電話番号", ""),
		{ID: "physician", Name: "医師氏名", Required: true},
		text("institution-name", "医療機関名", ""),
		text("institution-postal", "医療機関・郵便番号", ""),
		text("institution-address", "医療機関・所在地", ""),
		text("institution-phone", "医療機関・連絡先（TEL）", ""),
		text("institution-fax", "医療機関・連絡先（FAX）", ""),
		choice("consent", "医師同意", sectionBasic, "同意する", "同意しない"),
		{ID: "examined", Name: "最終診察日", Kind: form.Day, Section: sectionBasic}, // 30
		choice("count", "意見書作成回数", sectionBasic, "初回", "２回目以上"),
		choice("other-departments", "他科受診の有無", sectionBasic, "有", "無"),
		// The export writes the boxes of this column from the last to the first;
		// その他 alone stands at its own end.
		boxes("departments", "他科受診・受診科", sectionBasic, "歯科", "リハビリテーション科", "耳鼻咽喉科", "眼科", "婦人科", "泌尿器科", "皮膚科", "脳神経外科", "整形外科", "外科", "精神科", "内科", "その他"),
		text("departments-other", "他科受診・その他の内容", sectionBasic),

		text("diagnosis-1", "診断名1", sectionIllness), // 35
		{ID: "onset-1", Name: "発症年月日1", Kind: form.OldDay, Section: sectionIllness},
		text("diagnosis-2", "診断名2", sectionIllness),
		{ID: "onset-2", Name: "発症年月日2", Kind: form.OldDay, Section: sectionIllness},
		text("diagnosis-3", "診断名3", sectionIllness),
		{ID: "onset-3", Name: "発症年月日3", Kind: form.OldDay, Section: sectionIllness}, // 40
		choice("stability", "症状としての安定性", sectionIllness, "安定", "不安定", "不明"),
		text("instability", "症状不安定の具体的状況", sectionIllness),
		text("course", "傷病の経過及び投薬内容を含む治療内容", sectionIllness),

		boxes("treatment", "処置内容", sectionSpecial, "点滴の管理", "中心静脈栄養", "透析", "ストーマの処置", "酸素療法", "レスピレーター", "気管切開の処置", "疼痛の看護", "経管栄養"),
		boxes("measures", "特別な対応", sectionSpecial, "モニター測定", "褥瘡の処置"), // 45
		boxes("incontinence", "失禁への対応", sectionSpecial, "カテーテル"),

		{ID: "elderly-rank", Name: "障害高齢者の日常生活自立度（寝たきり度）", Kind: form.Code, Codes: codes.ElderlyRankNumbers, Blank: true, Section: sectionMind},
		{ID: "dementia-rank", Name: "認知症高齢者の日常生活自立度", Kind: form.Code, Codes: codes.DementiaRankNumbers, Blank: true, Section: sectionMind},
		choice("memory", "短期記憶", sectionMind, "問題なし", "問題あり"),
		choice("cognition", "日常の意思決定を行うための認知能力", sectionMind, "自立", "いくらか困難", "見守りが必要", "判断できない"), // 50
		choice("communication", "自分の意思の伝達能力", sectionMind, "伝えられる", "いくらか困難", "具体的要求に限られる", "伝えられない"),
		choice("symptoms-any", "認知症の周辺症状の有無", sectionMind, "有", "無"),
		boxes("symptoms", "認知症の周辺症状", sectionMind, "幻視・幻聴", "妄想", "昼夜逆転", "暴言", "暴行", "介護への抵抗", "徘徊", "火の不始末", "不潔行為", "異食行動", "性的問題行動", "その他"),
		text("symptoms-other", "周辺症状・その他の内容", sectionMind),
		choice("mental", "その他の精神・神経症状の有無", sectionMind, "有", "無"), // 55
		text("mental-name", "その他の精神・神経症状・症状名", sectionMind),
		choice("specialist", "専門医受診の有無", sectionMind, "有", "無"),
		text("specialist-department", "専門医受診・科名", sectionMind),
		choice("hand", "利き腕", sectionMind, "右", "左"),
		{ID: "height", Name: "身長", Kind: form.Decimal, Blank: true, Section: sectionMind}, // 60
		{ID: "weight", Name: "体重", Kind: form.Decimal, Blank: true, Section: sectionMind},
		choice("weight-change", "過去6か月の体重の変化", sectionMind, "増加", "維持", "減少"),
		flag("limb-loss", "四肢欠損", sectionMind),
		text("limb-loss-part", "四肢欠損・部位", sectionMind),
		flag("paralysis", "麻痺", sectionMind), // 65
		flag("paralysis-right-arm", "麻痺・右上肢", sectionMind),
		degree("paralysis-right-arm-degree", "麻痺・右上肢・程度"),
		flag("paralysis-left-arm", "麻痺・左上肢", sectionMind),
		degree("paralysis-left-arm-degree", "麻痺・左上肢・程度"),
		flag("paralysis-right-leg", "麻痺・右下肢", sectionMind), // 70
		degree("paralysis-right-leg-degree", "麻痺・右下肢・程度"),
		flag("paralysis-left-leg", "麻痺・左下肢", sectionMind),
		degree("paralysis-left-leg-degree", "麻痺・左下肢・程度"),
		flag("paralysis-other", "麻痺・その他", sectionMind),
		text("paralysis-other-part", "麻痺・その他・部位", sectionMind), // 75
		degree("paralysis-other-degree", "麻痺・その他・程度"),
		flag("weakness", "筋力の低下", sectionMind),
		text("weakness-part", "筋力の低下・部位", sectionMind),
		degree("weakness-degree", "筋力の低下・程度"),
		flag("contracture", "関節の拘縮", sectionMind), // 80
		text("contracture-part", "関節の拘縮・部位", sectionMind),
		degree("contracture-degree", "関節の拘縮・程度"),
		flag("joint-pain", "関節の痛み", sectionMind),
		text("joint-pain-part", "関節の痛み・部位", sectionMind),
		degree("joint-pain-degree", "関節の痛み・程度"), // 85
		flag("ataxia", "失調・不随意運動", sectionMind),
		boxes("ataxia-arm", "失調・不随意運動・上肢", sectionMind, "右", "左"),
		boxes("ataxia-leg", "失調・不随意運動・下肢", sectionMind, "右", "左"),
		boxes("ataxia-trunk", "失調・不随意運動・体幹", sectionMind, "右", "左"),
		flag("pressure-ulcer", "褥瘡", sectionMind), // 90
		text("pressure-ulcer-part", "褥瘡・部位", sectionMind),
		degree("pressure-ulcer-degree", "褥瘡・程度"),
		flag("skin-disease", "その他の皮膚疾患", sectionMind),
		text("skin-disease-part", "その他の皮膚疾患・部位", sectionMind),
		degree("skin-disease-degree", "その他の皮膚疾患・程度"), // 95

		choice("outdoor-walking", "屋外歩行", sectionLife, "自立", "介助があればしている", "していない"),
		choice("wheelchair", "車いすの使用", sectionLife, "用いていない", "主に自分で操作している", "主に他人が操作している"),
		// Written from the last box to the first, as the departments are.
		boxes("walking-aid", "歩行補助具・装具の使用", sectionLife, "屋内で使用", "屋外で使用", "用いていない"),
		choice("eating", "食事行為", sectionLife, "自立ないし何とか自分で食べられる", "全面介助"),
		choice("nutrition", "現在の栄養状態", sectionLife, "良好", "不良"), // 100
		text("nutrition-note", "栄養・食生活上の留意点", sectionLife),
		boxes("risks", "現在あるかまたは今後発生の可能性の高い状態", sectionLife, "尿失禁", "転倒・骨折", "移動能力の低下", "褥瘡", "心肺機能の低下", "閉じこもり", "意欲低下", "徘徊", "低栄養", "摂食・嚥下機能低下", "脱水", "易感染性", "がん等による疼痛", "その他"),
		text("risks-other", "発生の可能性の高い状態・その他の内容", sectionLife),
		text("risks-plan", "発生の可能性の高い状態・対処方針", sectionLife),
		choice("outlook", "サービス利用による生活機能の維持・改善の見通し", sectionLife, "期待できる", "期待できない", "不明"), // 105
		{ID: "management", Name: "医学的管理の必要性", Kind: form.Bits, Section: sectionLife, Degrees: managementDegrees, Items: items("management",
			"訪問診療", "訪問看護", "訪問リハビリテーション", "通所リハビリテーション", "短期入所療養介護", "訪問歯科診療", "訪問歯科衛生指導", "訪問薬剤管理指導", "訪問栄養食事指導", "その他の医療系サービス")},
		text("management-other", "医学的管理の必要性・その他の内容", sectionLife),
		choice("blood-pressure", "サービス提供時の留意事項・血圧", sectionLife, "特になし", "あり"),
		text("blood-pressure-note", "血圧・留意事項", sectionLife),
		choice("feeding", "サービス提供時の留意事項・摂食", sectionLife, "特になし", "あり"), // 110
		text("feeding-note", "摂食・留意事項", sectionLife),
		choice("swallowing", "サービス提供時の留意事項・嚥下", sectionLife, "特になし", "あり"),
		text("swallowing-note", "嚥下・留意事項", sectionLife),
		choice("moving", "サービス提供時の留意事項・移動", sectionLife, "特になし", "あり"),
		text("moving-note", "移動・留意事項", sectionLife), // 115
		choice("exercise", "サービス提供時の留意事項・運動", sectionLife, "特になし", "あり"),
		text("exercise-note", "運動・留意事項", sectionLife),
		text("care-note", "サービス提供時の留意事項・その他", sectionLife),
		choice("infection", "感染症の有無", sectionLife, "有", "無", "不明"),
		text("infection-name", "感染症・名称", sectionLife), // 120

		text("remarks", "特記すべき事項", sectionRemarks),
	}
	return form.NewSheet(care.PhysicianOpinion, "主治医意見書", columns...)
})

func text(id, name, section string) form.Column {
	return form.Column{ID: id, Name: name, Section: section}
}

// choice is one answer of several, written 1, 2, …; 0 stands for none.
func choice(id, name, section string, answers ...string) form.Column {
	encoding := sync.OnceValue(func() *codes.Encoding { return answerTable(id, 1, answers) })
	return form.Column{ID: id, Name: name, Kind: form.Code, Codes: encoding, Blank: true, Section: section}
}

// flag is written 0 or 1.
func flag(id, name, section string) form.Column {
	encoding := sync.OnceValue(func() *codes.Encoding { return answerTable(id, 0, []string{"無", "有"}) })
	return form.Column{ID: id, Name: name, Kind: form.Code, Codes: encoding, Section: section}
}

func degree(id, name string) form.Column { return choice(id, name, sectionMind, "軽", "中", "重") }

func boxes(id, name, section string, names ...string) form.Column {
	return form.Column{ID: id, Name: name, Kind: form.Bits, Items: items(id, names...), Section: section}
}

func items(id string, names ...string) []form.Item {
	list := make([]form.Item, len(names))
	for i, n := range names {
		list[i] = form.Item{ID: id + "." + strconv.Itoa(i+1), Name: n}
	}
	return list
}

// answerTable gives the answers of an item codes of the one CodeSystem of
// answers, "stability-1", and the file's numbers for them.
func answerTable(id string, first int, answers []string) *codes.Encoding {
	t := &codes.Table{URL: care.OpinionAnswerSystem, ID: "opinion-answer"}
	for i, a := range answers {
		t.Concepts = append(t.Concepts, codes.Concept{Code: id + "-" + strconv.Itoa(first+i), Ja: a, En: english[a]})
	}
	return codes.Numbered(t, first, strconv.Itoa)
}

var managementDegrees = sync.OnceValue(func() *codes.Table {
	return answerTable("management", 0, []string{"必要なし", "必要あり", "特に必要性が高い"}).Table
})

// Items are the items of the form as a code system, and Answers their coded
// answers.
var Items = sync.OnceValue(func() *codes.Table {
	t := &codes.Table{URL: care.OpinionItemSystem, ID: "opinion-item", Name: "OpinionItem", Title: "Items of the physician's opinion", TitleJa: "主治医意見書の項目"}
	for i, s := range Sections() {
		t.Concepts = append(t.Concepts, codes.Concept{Code: "section-" + strconv.Itoa(i+1), Ja: s})
	}
	for _, c := range Sheet().Columns {
		if c.Section == "" {
			continue
		}
		t.Concepts = append(t.Concepts, codes.Concept{Code: c.ID, Ja: c.Name})
		for _, item := range c.Items {
			t.Concepts = append(t.Concepts, codes.Concept{Code: item.ID, Ja: c.Name + "・" + item.Name})
		}
	}
	return t
})

// Answers are the coded answers of the form as a code system.
var Answers = sync.OnceValue(func() *codes.Table {
	t := &codes.Table{URL: care.OpinionAnswerSystem, ID: "opinion-answer", Name: "OpinionAnswer", Title: "Answers of the physician's opinion", TitleJa: "主治医意見書の選択肢"}
	for _, c := range Sheet().Columns {
		if c.Kind == form.Code && strings.HasSuffix(c.Codes().Table.URL, "/opinion-answer") {
			t.Concepts = append(t.Concepts, c.Codes().Table.Concepts...)
		}
	}
	t.Concepts = append(t.Concepts, managementDegrees().Concepts...)
	return t
})

// english translates the answers.
var english = map[string]string{
	"在宅": "At home", "施設": "In a facility", "同意する": "Consents", "同意しない": "Does not consent",
	"初回": "First", "２回目以上": "Second or later", "有": "Yes", "無": "No", "不明": "Unknown",
	"安定": "Stable", "不安定": "Unstable", "問題なし": "No problem", "問題あり": "Problem", "自立": "Independent",
	"いくらか困難": "Some difficulty", "見守りが必要": "Needs watching over", "判断できない": "Cannot decide",
	"伝えられる": "Can communicate", "具体的要求に限られる": "Concrete requests only", "伝えられない": "Cannot communicate",
	"右": "Right", "左": "Left", "増加": "Gained", "維持": "Unchanged", "減少": "Lost", "軽": "Mild", "中": "Moderate", "重": "Severe",
	"介助があればしている": "With help", "していない": "Does not", "用いていない": "Does not use", "主に自分で操作している": "Mostly operates it alone",
	"主に他人が操作している": "Mostly operated by others", "自立ないし何とか自分で食べられる": "Eats alone or nearly so", "全面介助": "Fully assisted",
	"良好": "Good", "不良": "Poor", "期待できる": "Can be expected", "期待できない": "Cannot be expected", "特になし": "Nothing particular", "あり": "Yes",
	"必要なし": "Not needed", "必要あり": "Needed", "特に必要性が高い": "Particularly needed",
}
