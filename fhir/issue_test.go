package fhir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

func TestIssuesError(t *testing.T) {
	note := fhir.Issue{Severity: fhir.Warning, Message: fhir.Messagef("odd", "変")}
	bad := fhir.Issue{Severity: fhir.Error, Message: fhir.Messagef("%d is bad", "%dは不正", 2), Expression: "Patient.name[0]", Line: 3, Column: 4}
	for _, tt := range []struct {
		name   string
		issues fhir.Issues
		want   string
		errors bool
	}{
		{"none", nil, "no issues", false},
		{"warning", fhir.Issues{note}, "odd", false},
		{"error", fhir.Issues{bad}, "Patient.name[0]: 2 is bad (line 3, column 4)", true},
		{"error after a warning", fhir.Issues{note, bad}, "Patient.name[0]: 2 is bad (line 3, column 4) (and 1 more)", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.issues.Error(); got != tt.want {
				t.Errorf("got %q", got)
			}
			if tt.issues.HasErrors() != tt.errors {
				t.Errorf("HasErrors is %v", !tt.errors)
			}
		})
	}
}

func TestMessagef(t *testing.T) {
	want := fhir.Message{En: "2 of 3", Ja: "3件中2件"}
	if got := fhir.Messagef("%d of %d", "%[2]d件中%[1]d件", 2, 3); got != want {
		t.Errorf("got %v", got)
	}
}

func TestOutcome(t *testing.T) {
	issues := fhir.Issues{{
		Severity: fhir.Error, Code: fhir.Structure, ID: "x", Message: fhir.Messagef("bad", "不正"), Expression: "Patient.id", Line: 1, Column: 2,
	}}
	ext := func(lang, text string) string {
		return `"_text":{"extension":[{"extension":[{"url":"lang","valueCode":"` + lang + `"},{"url":"content","valueString":"` + text + `"}],` +
			`"url":"http://hl7.org/fhir/StructureDefinition/translation"}]}`
	}
	tests := []struct {
		name   string
		issues fhir.Issues
		lang   fhir.Language
		want   string
	}{
		{"English", issues, fhir.English, `{"severity":"error","code":"structure","details":{"coding":[{"code":"x"}],"text":"bad",` + ext("ja", "不正") + `},"location":["Line[1] Col[2]"],"expression":["Patient.id"]}`},
		{"Japanese", issues, fhir.Japanese, `{"severity":"error","code":"structure","details":{"coding":[{"code":"x"}],"text":"不正",` + ext("en", "bad") + `},"location":["Line[1] Col[2]"],"expression":["Patient.id"]}`},
		{"one language", fhir.Issues{{Severity: fhir.Warning, Code: fhir.Value, Message: fhir.Message{En: "a"}}}, fhir.Japanese, `{"severity":"warning","code":"value","details":{"text":"a"}}`},
		{"none", nil, fhir.English, `{"severity":"information","code":"informational","details":{"text":"no issues",` + ext("ja", "問題はありません") + `}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(fhirjson.Append(nil, fhir.Outcome(tt.issues, tt.lang)))
			if diff := cmp.Diff(`{"resourceType":"OperationOutcome","issue":[`+tt.want+`]}`, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
