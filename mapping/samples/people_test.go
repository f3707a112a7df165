package samples_test

import "github.com/kaigofhir/kaigofhir/mapping/samples"

const (
	insurerNumber = "479998"
	cityAddress   = "沖縄県みほん市"
)

var (
	manager, dayCare, homeHelp, hospital, clinic = organization("care-manager"), organization("day-care"), organization("home-help"), organization("hospital"), organization("clinic")
	hanako, taro, fumi                           = samples.People()[0], samples.People()[1], samples.People()[2]
)

func organization(key string) samples.Organization {
	for _, o := range samples.Organizations() {
		if o.Key == key {
			return o
		}
	}
	panic(key)
}

// cards are the rows of the municipality's file.
func cards() []values {
	common := values{
		"insurer": insurerNumber, "insurer-name": "みほん市", "postal": "999-0001", "issued": "20260401",
		"manager": manager.Number, "manager-name": manager.Name,
	}
	return []values{
		common.with(values{
			"insured": hanako.Insured, "kana": "ミホン　ハナコ", "name": hanako.Name, "birth": "19430305", "gender": "2",
			"address": cityAddress + "中央１－２－３", "phone": "098-000-0101",
			"level": "22", "certified": "20260401", "start": "20260401", "end": "20280331", "limit": "19705",
			"opinion":  "転倒の予防に配慮し、通所介護の利用が望まれる。",
			"notified": "20260402",
		}),
		common.with(values{
			"insured": taro.Insured, "kana": "シケン　タロウ", "name": taro.Name, "birth": "19380720", "gender": "1",
			"address": cityAddress + "港町４－５", "phone": "098-000-0102",
			"level": "23", "certified": "20260315", "start": "20260401", "end": "20270331", "limit": "27048",
			"service-1": "17", "service-limit-1": "3000", "restriction-1": "支払方法の変更", "restriction-start-1": "20260401",
			"notified": "20260320",
		}),
		common.with(values{
			"insured": fumi.Insured, "kana": "レイジ　フミ", "name": fumi.Name, "birth": "19510228", "gender": "2",
			"address": cityAddress + "西原６－７ みほん荘２０２号", "phone": "",
			"level": "21", "certified": "20260401", "start": "20260401", "end": "20270331", "limit": "16765",
			"notified": "20260405",
		}),
	}
}

// opinions are the rows of the hospital's file.
func opinions() []values {
	common := values{
		"format": "1.1", "software": "見本意見書ソフト", "insurer": insurerNumber, "insurer-name": "みほん市",
		"institution": hospital.Number, "institution-name": hospital.Name, "institution-postal": "999-0010",
		"institution-address": cityAddress + "北１－１", "institution-phone": "098-000-1000", "institution-fax": "098-000-1001",
		"physician-number": "000012", "physician": "模擬　医一郎", "place": "1", "postal": "999-0001",
		"treatment": "000000000", "measures": "00", "incontinence": "0", "departments": "0000000000000",
		"symptoms": "000000000000", "risks": "00000000000000", "management": "0000000000", "walking-aid": "000",
		"ataxia": "0", "ataxia-arm": "00", "ataxia-leg": "00", "ataxia-trunk": "00",
		"limb-loss": "0", "paralysis": "0", "paralysis-right-arm": "0", "paralysis-left-arm": "0", "paralysis-right-leg": "0",
		"paralysis-left-leg": "0", "paralysis-other": "0", "weakness": "0", "contracture": "0", "joint-pain": "0",
		"pressure-ulcer": "0", "skin-disease": "0", "mental": "2", "symptoms-any": "2", "infection": "2",
		"blood-pressure": "1", "feeding": "1", "swallowing": "1", "moving": "1", "exercise": "1", "hand": "1",
	}
	return []values{
		common.with(values{
			"stamp": "000000010125101530", "insured": hanako.Insured, "kana": hanako.Kana, "name": hanako.Name,
			"birth": "19430305", "age": "83", "gender": "2", "address": cityAddress + "中央１－２－３", "phone": "098-000-0101",
			"applied": "20260310", "requested": "20260312", "sent": "20260325", "request": "2026000101", "written": "20260325",
			"consent": "1", "examined": "20260320", "count": "2", "other-departments": "1", "departments": "0001000000000",
			"diagnosis-1": "変形性膝関節症", "onset-1": "平成25年頃", "diagnosis-2": "高血圧症", "onset-2": "平成12年04月",
			"diagnosis-3": "アルツハイマー型認知症", "onset-3": "令和05年06月10日", "stability": "1",
			"course":       "両膝の痛みのため屋内は伝い歩き。\n内服にて血圧は安定している。\nアムロジピン錠5mg 1錠 朝食後 / ドネペジル錠5mg 1錠 朝食後",
			"elderly-rank": "4", "dementia-rank": "3", "memory": "2", "cognition": "2", "communication": "1",
			"symptoms-any": "1", "symptoms": "001000000000", "height": "148.5", "weight": "46.2", "weight-change": "3",
			"weakness": "1", "weakness-part": "両下肢", "weakness-degree": "1", "joint-pain": "1", "joint-pain-part": "両膝", "joint-pain-degree": "2",
			"outdoor-walking": "2", "wheelchair": "1", "walking-aid": "110", "eating": "1", "nutrition": "2", "nutrition-note": "たんぱく質を十分に",
			"risks": "01100000100000", "risks-plan": "下肢筋力訓練、栄養指導", "outlook": "1", "management": "0011000010",
			"moving": "2", "moving-note": "屋外は付き添いが必要", "remarks": "長谷川式 = 18点 (令和8年3月)\n独居で近隣に長女が住む。",
		}),
		common.with(values{
			"stamp": "000000010225111200", "insured": taro.Insured, "kana": taro.Kana, "name": taro.Name,
			"birth": "19380720", "age": "87", "gender": "1", "address": cityAddress + "港町４－５", "phone": "098-000-0102",
			"applied": "20260220", "requested": "20260223", "sent": "20260305", "request": "2026000087", "written": "20260304",
			"consent": "1", "examined": "20260303", "count": "2", "other-departments": "2",
			"diagnosis-1": "脳梗塞後遺症", "onset-1": "令和03年11月02日", "diagnosis-2": "２型糖尿病", "onset-2": "不詳", "stability": "2",
			"instability": "血糖値の変動が大きい", "course": "右片麻痺があり移乗に介助を要する。インスリン自己注射は妻が介助。",
			"treatment": "000000000", "elderly-rank": "6", "dementia-rank": "2", "memory": "1", "cognition": "1", "communication": "2",
			"height": "162.0", "weight": "58.0", "weight-change": "2", "paralysis": "1", "paralysis-right-arm": "1", "paralysis-right-arm-degree": "2",
			"paralysis-right-leg": "1", "paralysis-right-leg-degree": "2", "contracture": "1", "contracture-part": "右肩関節", "contracture-degree": "1",
			"outdoor-walking": "3", "wheelchair": "3", "walking-aid": "001", "eating": "1", "nutrition": "1",
			"risks": "01010000000100", "risks-plan": "体位変換、皮膚の観察", "outlook": "3", "management": "1221000000",
			"blood-pressure": "2", "blood-pressure-note": "収縮期180以上で中止", "swallowing": "2", "swallowing-note": "水分にとろみ", "feeding": "1",
		}),
		common.with(values{
			"stamp": "000000010310093000", "insured": fumi.Insured, "kana": fumi.Kana, "name": fumi.Name,
			"birth": "19510228", "age": "75", "gender": "2", "address": cityAddress + "西原６－７ みほん荘２０２号",
			"applied": "20260401", "requested": "20260403", "sent": "20260410", "request": "2026000120", "written": "20260410",
			"examined": "20260409", "count": "1", "other-departments": "2",
			"diagnosis-1": "慢性閉塞性肺疾患", "onset-1": "平成30年", "stability": "1", "course": "在宅酸素療法中。労作時に息切れあり。",
			"treatment": "000010000", "elderly-rank": "3", "dementia-rank": "1", "memory": "1", "cognition": "1", "communication": "1",
			"height": "151.0", "weight": "41.0", "weight-change": "3", "outdoor-walking": "2", "wheelchair": "1", "walking-aid": "001",
			"eating": "1", "nutrition": "2", "risks": "00001000100100", "risks-plan": "呼吸リハビリ", "outlook": "1", "management": "1110000000",
			"exercise": "2", "exercise-note": "SpO2 90%未満で休止",
		}),
	}
}

var _ = clinic
