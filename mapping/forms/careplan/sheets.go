// Package careplan maps the home care plan (居宅サービス計画書, sheets 1 to 3)
// from the official CSV of the care-plan data exchange standard V4.1
// (ケアプランデータ連携標準仕様, 令和6年10月) to CarePlan and Goal. A plan is spread
// over files that are joined by insurer, insured and the day the plan was made
// or changed: UP1KYO (sheet 1), UP2KYO (sheet 2), UP3KYO (sheet 3) and
// UPHOSOKU (about the person). Shift_JIS (MS932) only, CRLF, no header.
package careplan

import (
	"strconv"
	"sync"

	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Column IDs that several sheets have.
var (
	version  = form.Column{ID: "version", Name: "CSVバージョン", Kind: form.Month, Max: 6, Required: true}
	insurer  = form.Column{ID: "insurer", Name: "保険者番号", Kind: form.InsurerNo, Required: true}
	insured  = form.Column{ID: "insured", Name: "被保険者番号", Kind: form.InsuredNo, Required: true}
	made     = form.Column{ID: "made", Name: "作成年月日", Kind: form.Day, Required: true}
	planned  = form.Column{ID: "planned", Name: "計画作成（変更）日", Kind: form.Day, Required: true}
	updater  = form.Column{ID: "updater", Name: "更新業者", Max: 10}
	reserved = form.Column{ID: "reserved", Name: "識別子1"}
)

func level(name string) form.Column {
	allowed := sync.OnceValue(func() *codes.Encoding {
		return codes.Only(codes.CareLevels(), "06", "12", "13", "21", "22", "23", "24", "25")
	})
	return form.Column{ID: "level", Name: name, Kind: form.Code, Codes: allowed}
}

func certification(ids string) form.Column {
	return form.Column{ID: ids, Name: "認定状況", Kind: form.Code, Codes: certificationStates}
}

// local is a small list that only this form has and that is not published.
func local(id string, first int, answers ...string) func() *codes.Encoding {
	return sync.OnceValue(func() *codes.Encoding {
		t := &codes.Table{URL: care.PlanKindSystem, ID: "care-plan-kind"}
		for i, a := range answers {
			t.Concepts = append(t.Concepts, codes.Concept{Code: id + "-" + strconv.Itoa(first+i), Ja: a})
		}
		return codes.Numbered(t, first, strconv.Itoa)
	})
}

var (
	certificationStates = local("certification", 1, "申請中", "認定済")
	housekeepingReasons = local("housekeeping", 1, "一人暮らし", "家族等が障害、疾病等", "その他")
	weekdays            = local("weekday", 1, "月", "火", "水", "木", "金", "土", "日")
	insuredService      = sync.OnceValue(func() *codes.Encoding {
		t := &codes.Table{URL: care.PlanKindSystem, Concepts: []codes.Concept{{Code: "Y", Ja: "保険給付対象"}, {Code: "N", Ja: "保険給付対象外"}}}
		return codes.Same(t)
	})
	planKind = sync.OnceValue(func() *codes.Encoding {
		return codes.Only(codes.PlanKinds(), "11", "12", "21", "51", "52", "53", "54")
	})
)

// Supplement is UPHOSOKU, 利用者補足情報: 63 columns.
var Supplement = sync.OnceValue(func() *form.Sheet {
	columns := []form.Column{
		version, insurer, insured,
		{ID: "planned", Name: "計画作成（変更）日", Kind: form.DayOrZero, Required: true},
		{ID: "kana", Name: "フリガナ"}, {ID: "name", Name: "氏名"},
		{ID: "gender", Name: "性別", Kind: form.Code, Codes: codes.Genders},
		{ID: "birth", Name: "生年月日", Kind: form.Day},
		{ID: "postal", Name: "郵便番号", Max: 8}, {ID: "address-1", Name: "住所1"}, {ID: "address-2", Name: "住所2"},
		{ID: "phone", Name: "電話番号", Max: 15},
		{ID: "certified", Name: "認定日", Kind: form.DayOrZero},
		{ID: "limit-start", Name: "限度額適用期間（開始）", Kind: form.DayOrZero},
		{ID: "limit-end", Name: "限度額適用期間（終了）", Kind: form.DayOrZero},
		certification("certification"),
		{ID: "changed", Name: "状態変更日", Kind: form.DayOrZero},
		level("要介護状態区分"),
		{ID: "limit", Name: "区分支給限度基準額", Kind: form.Integer, Max: 7},
	}
	for n := range 9 {
		i := strconv.Itoa(n + 1)
		columns = append(columns,
			form.Column{ID: "service-" + i, Name: "サービス種類コード" + i, Max: 2},
			form.Column{ID: "service-limit-" + i, Name: "種類支給限度基準額" + i, Kind: form.Integer, Max: 7},
			form.Column{ID: "service-units-" + i, Name: "合計単位数" + i, Kind: form.Integer, Max: 7},
			form.Column{ID: "service-over-" + i, Name: "限度額超単位数" + i, Kind: form.Integer, Max: 7})
	}
	columns = append(columns,
		form.Column{ID: "over", Name: "合計限度額超単位数", Kind: form.Integer, Max: 7},
		form.Column{ID: "stay-days", Name: "短期入所前月迄利用日数", Kind: form.Integer, Max: 5},
		form.Column{ID: "stay-total", Name: "短期入所累積利用日数", Kind: form.Integer, Max: 5},
		form.Column{ID: "previous-level", Name: "変更前要介護状態区分", Max: 2},
		form.Column{ID: "consent-office", Name: "同意書受付業者", Max: 10},
		updater, reserved,
		form.Column{ID: "month", Name: "対象年月", Kind: form.Month, Required: true})
	return form.NewSheet(care.HomeCarePlan, "利用者補足情報（UPHOSOKU）", columns...)
})

// First is UP1KYO, 第1表: 28 columns.
var First = sync.OnceValue(func() *form.Sheet {
	return form.NewSheet(care.HomeCarePlan, "居宅サービス計画書第1表（UP1KYO）",
		version, insurer, insured, made,
		form.Column{ID: "postal", Name: "郵便番号", Max: 8},
		form.Column{ID: "address-1", Name: "住所1"}, form.Column{ID: "address-2", Name: "住所2"},
		form.Column{ID: "manager", Name: "居宅サービス計画作成者氏名", Required: true},
		form.Column{ID: "office-name", Name: "居宅介護支援事業者・事業所名", Required: true},
		form.Column{ID: "office-postal", Name: "事業所郵便番号", Max: 8},
		form.Column{ID: "office-address-1", Name: "事業所住所1"}, form.Column{ID: "office-address-2", Name: "事業所住所2"},
		form.Column{ID: "office", Name: "居宅介護支援事業者コード", Kind: form.OfficeNo, Required: true},
		planned,
		form.Column{ID: "first", Name: "初回居宅サービス計画作成日", Kind: form.Day, Required: true},
		form.Column{ID: "kind", Name: "計画書区分", Kind: form.Code, Codes: planKind},
		certification("certification"),
		form.Column{ID: "certified", Name: "認定日", Kind: form.DayOrZero},
		form.Column{ID: "start", Name: "認定の有効期間（開始）", Kind: form.DayOrZero},
		form.Column{ID: "end", Name: "認定の有効期間（終了）", Kind: form.DayOrZero},
		level("要介護状態区分"),
		form.Column{ID: "analysis", Name: "利用者及び家族の生活に対する意向を踏まえた課題分析の結果"},
		form.Column{ID: "committee", Name: "介護認定審査会の意見及びサービスの種類の指定"},
		form.Column{ID: "policy", Name: "総合的な援助の方針"},
		form.Column{ID: "housekeeping", Name: "生活援助中心型の算定理由", Kind: form.Code, Codes: housekeepingReasons},
		form.Column{ID: "housekeeping-other", Name: "生活援助中心型の算定理由（その他）"},
		updater, reserved)
})

// Second is UP2KYO, 第2表: 22 columns.
var Second = sync.OnceValue(func() *form.Sheet {
	return form.NewSheet(care.HomeCarePlan, "居宅サービス計画書第2表（UP2KYO）",
		version, insurer, insured, made, planned,
		form.Column{ID: "need-no", Name: "課題NO", Kind: form.Integer, Max: 2},
		form.Column{ID: "need", Name: "生活全般の解決すべき課題（ニーズ）"},
		form.Column{ID: "goal-no", Name: "援助目標NO", Kind: form.Integer, Max: 2},
		form.Column{ID: "long", Name: "長期目標"}, form.Column{ID: "short", Name: "短期目標"},
		form.Column{ID: "long-period", Name: "長期目標の期間"}, form.Column{ID: "short-period", Name: "短期目標の期間"},
		form.Column{ID: "service-no", Name: "援助内容NO", Kind: form.Integer, Max: 2},
		form.Column{ID: "service", Name: "サービス内容"},
		form.Column{ID: "insured-service", Name: "保険給付対象", Kind: form.Code, Codes: insuredService},
		form.Column{ID: "service-kind", Name: "サービス種別"},
		form.Column{ID: "provider", Name: "事業者コード", Kind: form.OfficeNo},
		form.Column{ID: "provider-name", Name: "サービス提供を行う事業所"},
		form.Column{ID: "frequency", Name: "頻度"}, form.Column{ID: "period", Name: "実施期間"},
		updater, reserved)
})

// Third is UP3KYO, 第3表: 13 columns.
var Third = sync.OnceValue(func() *form.Sheet {
	return form.NewSheet(care.HomeCarePlan, "週間サービス計画表第3表（UP3KYO）",
		version, insurer, insured, made, planned,
		form.Column{ID: "service", Name: "サービス内容"},
		form.Column{ID: "weekday", Name: "曜日", Kind: form.Code, Codes: weekdays},
		form.Column{ID: "from", Name: "サービス開始時間", Kind: form.Clock},
		form.Column{ID: "to", Name: "サービス終了時間", Kind: form.Clock},
		form.Column{ID: "activity", Name: "主な日常生活上の活動"},
		form.Column{ID: "activity-from", Name: "活動開始時間", Kind: form.Clock},
		form.Column{ID: "activity-to", Name: "活動終了時間", Kind: form.Clock},
		form.Column{ID: "other", Name: "週単位以外のサービス"})
})

// Sheets are the sheets this package reads, by the kind in the file's name.
func Sheets() map[string]*form.Sheet {
	return map[string]*form.Sheet{"UPHOSOKU": Supplement(), "UP1KYO": First(), "UP2KYO": Second(), "UP3KYO": Third()}
}
