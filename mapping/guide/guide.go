// Package guide makes the published JSON of the implementation guide
// (profiles/care/resources) from the tables the mapping works with, so that
// what is published is what is done. The files are written by
// go generate ./mapping/guide and checked by its test.
package guide

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/mapping/forms/life"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

//go:generate go test . -run TestPublished|TestPages -update

// published is the date of this version of the guide.
const published = "2026-11-22"

// Resources builds every resource of the guide, by type and then id.
func Resources() []*fhir.Element {
	list := []*fhir.Element{sharing.National().CodeSystem(), valueSet(codes.Forms())}
	for _, t := range tables() {
		list = append(list, codeSystem(t), valueSet(t))
	}
	for _, e := range extensions() {
		list = append(list, e.resource())
	}
	for _, p := range profiles() {
		list = append(list, p.resource())
	}
	for _, o := range operations() {
		list = append(list, o.resource())
	}
	list = append(list,
		questionnaire(care.OpinionQuestionnaire, "OpinionQuestionnaire", "主治医意見書", opinion.Sheet()),
		questionnaire(care.LifeQuestionnaireBase+"form-0000-2021", "LifePromotion2021", "LIFE 科学的介護推進（2021年度版）", life.Promotion()),
		questionnaire(care.LifeQuestionnaireBase+"form-0900-2021", "LifeADL2021", "LIFE ADL維持等（2021年度版）", life.ADL()),
		questionnaire(care.LifeQuestionnaireBase+"adl-maintenance-addition-2024", "LifeADL2024", "LIFE ADL維持等（2024年度版）", life.ADL()),
	)
	slices.SortFunc(list, func(a, b *fhir.Element) int { return strings.Compare(FileName(a), FileName(b)) })
	return list
}

// FileName is the name under which a resource is published.
func FileName(r *fhir.Element) string { return r.ResourceType() + "-" + r.ID() + ".json" }

// tables are the code lists of the guide but that of the forms.
func tables() []*codes.Table {
	list := slices.DeleteFunc(codes.Tables(), func(t *codes.Table) bool { return t.URL == care.FormSystem })
	return append(list, opinion.Items(), opinion.Answers(), life.Items(), life.Answers(),
		&codes.Table{URL: sharing.RestrictionSystem, ID: "care-restriction", Name: "CareRestriction", Title: "Restrictions of sharing", TitleJa: "共有の制限", Concepts: []codes.Concept{
			{Code: sharing.PhysicianWithheld, Ja: "医師の同意なし", En: "The physician refuses the use for care planning"},
		}},
		&codes.Table{URL: sharing.ConsentCategorySystem, ID: "care-consent", Name: "CareConsent", Title: "Kinds of consent", TitleJa: "同意の種類", Concepts: []codes.Concept{
			{Code: sharing.OfficeConsent, Ja: "事業所による同意", En: "Taken by an office for the recipients it names"},
			{Code: sharing.ComprehensiveConsent, Ja: "包括的同意", En: "Comprehensive, for the insurer and whoever is registered"},
		}},
		&codes.Table{URL: sharing.RoleSystem, ID: "care-role", Name: "CareRole", Title: "Roles of registration", TitleJa: "担当の種類", Concepts: []codes.Concept{
			{Code: string(sharing.RoleCareManager), Ja: "居宅介護支援", En: "Care management"},
			{Code: string(sharing.RoleCareProvider), Ja: "サービス提供", En: "Care provision"},
			{Code: string(sharing.RolePhysician), Ja: "主治医意見書の作成", En: "Writing the opinion"},
			{Code: string(sharing.RoleEvacuation), Ja: "避難先", En: "Taking in after evacuation"},
		}})
}

// head begins a conformance resource.
func head(resourceType, url, name, title string) *fhir.Element {
	r := fhir.NewResource(resourceType)
	r.Set("id", url[strings.LastIndexByte(url, '/')+1:]).Set("url", url).Set("version", care.Version).Set("name", name).Set("title", title)
	r.Set("status", "active").Set("experimental", "false").Set("date", published).Set("publisher", "kaigofhir")
	return r
}

func codeSystem(t *codes.Table) *fhir.Element {
	r := head("CodeSystem", t.URL, t.Name, t.TitleJa+" "+t.Title)
	r.Set("language", "ja")
	r.Set("description", t.Title+" ("+t.TitleJa+").")
	r.Set("caseSensitive", "true").Set("valueSet", valueSetURL(t)).Set("content", "complete")
	for _, c := range t.Concepts {
		concept := r.Add("concept").Set("code", c.Code).Set("display", c.Ja)
		if c.En != "" {
			concept.Add("designation").Set("language", "en").Set("value", c.En)
		}
	}
	return r
}

func valueSetURL(t *codes.Table) string { return care.Canonical + "/ValueSet/" + t.ID }

func valueSet(t *codes.Table) *fhir.Element {
	r := head("ValueSet", valueSetURL(t), t.Name, t.TitleJa+" "+t.Title)
	r.Set("description", "All codes of "+t.Title+" ("+t.TitleJa+").")
	r.Add("compose").Add("include").Set("system", t.URL)
	return r
}

func questionnaire(url, name, title string, sheet *form.Sheet) *fhir.Element {
	r := head("Questionnaire", url, name, title)
	r.Set("language", "ja").Add("subjectType").SetValue("Patient")
	r.Set("description", title+" の全項目。")
	sheet.Questionnaire(r)
	return r
}
