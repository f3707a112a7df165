// Package insuredcard maps the insured card of long-term care insurance
// (介護保険被保険者証) from a municipality's CSV to Patient and Coverage.
//
// No official file of the card exists in public. This layout is ours: a header
// row that names the items as the card does, in any order, UTF-8 or Shift_JIS,
// file name 介護保険被保険者証_{保険者番号}_{YYYYMMDDHHMMSS}.csv.
package insuredcard

import (
	"sync"

	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Lines are how many lines the card's tables have in the file.
const (
	serviceLimits = 3 // 種類支給限度基準額
	restrictions  = 2 // 給付制限
	stays         = 2 // 介護保険施設等
)

// Sheet is the rule sheet of the file.
var Sheet = sync.OnceValue(func() *form.Sheet {
	level := func() *codes.Encoding { return codes.Same(codes.CareLevels()) }
	service := func() *codes.Encoding { return codes.Same(codes.ServiceKinds()) }
	columns := []form.Column{
		{ID: "insurer", Name: "保険者番号", Kind: form.InsurerNo, Required: true},
		{ID: "insurer-name", Name: "保険者名", Max: 60},
		{ID: "insured", Name: "被保険者番号", Kind: form.InsuredNo, Required: true},
		{ID: "kana", Name: "フリガナ", Max: 60},
		{ID: "name", Name: "氏名", Max: 60, Required: true},
		{ID: "birth", Name: "生年月日", Kind: form.Day, Required: true},
		{ID: "gender", Name: "性別", Kind: form.Code, Codes: codes.Genders, Required: true},
		{ID: "postal", Name: "郵便番号", Max: 8},
		{ID: "address", Name: "住所", Max: 200},
		{ID: "phone", Name: "電話番号", Max: 15},
		{ID: "issued", Name: "交付年月日", Kind: form.Day, Required: true},
		{ID: "level", Name: "要介護状態区分", Kind: form.Code, Codes: level},
		{ID: "certified", Name: "認定年月日", Kind: form.Day},
		{ID: "start", Name: "認定有効期間開始", Kind: form.Day},
		{ID: "end", Name: "認定有効期間終了", Kind: form.Day},
		{ID: "limit", Name: "区分支給限度基準額", Kind: form.Integer, Max: 7},
	}
	for n := range serviceLimits {
		columns = append(columns,
			form.Column{ID: at("service", n), Name: nth("種類支給限度サービス種類", n), Kind: form.Code, Codes: service},
			form.Column{ID: at("service-limit", n), Name: nth("種類支給限度基準額", n), Kind: form.Integer, Max: 7})
	}
	columns = append(columns, form.Column{ID: "opinion", Name: "認定審査会の意見及びサービスの種類の指定", Max: 400})
	for n := range restrictions {
		columns = append(columns,
			form.Column{ID: at("restriction", n), Name: nth("給付制限内容", n), Max: 100},
			form.Column{ID: at("restriction-start", n), Name: nth("給付制限開始", n), Kind: form.Day},
			form.Column{ID: at("restriction-end", n), Name: nth("給付制限終了", n), Kind: form.Day})
	}
	columns = append(columns,
		form.Column{ID: "manager", Name: "居宅介護支援事業者番号", Kind: form.OfficeNo},
		form.Column{ID: "manager-name", Name: "居宅介護支援事業者名", Max: 100},
		form.Column{ID: "notified", Name: "居宅介護支援届出年月日", Kind: form.Day})
	for n := range stays {
		columns = append(columns,
			form.Column{ID: at("facility-kind", n), Name: nth("介護保険施設等種類", n), Max: 60},
			form.Column{ID: at("facility", n), Name: nth("介護保険施設等名称", n), Max: 100},
			form.Column{ID: at("entered", n), Name: nth("入所年月日", n), Kind: form.Day},
			form.Column{ID: at("left", n), Name: nth("退所年月日", n), Kind: form.Day})
	}
	return form.NewSheet(care.InsuredCard, "介護保険被保険者証", columns...)
})

func at(id string, n int) string { return id + "-" + string(rune('1'+n)) }

func nth(name string, n int) string { return name + string(rune('1'+n)) }
