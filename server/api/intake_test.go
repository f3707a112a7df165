package api_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

func TestIntake(t *testing.T) {
	srv := servertest.Start(t)
	for _, o := range samples.Organizations() {
		if o.Folder == "" {
			continue
		}
		r := srv.Intake(o.Key).Want(200)
		if got := r.Resource().Text("type"); got != "transaction-response" {
			t.Errorf("%s: %s", o.Key, got)
		}
	}
	// Each file names its people; all mean the same three patients.
	op := srv.As(servertest.Operator)
	if got := op.Search("Patient").Want(200).Total(); got != "3" {
		t.Errorf("%s patients, want 3", got)
	}
	before := op.Search("?_type=CarePlan,Goal,Observation,DocumentReference,Coverage").Total()
	for _, o := range samples.Organizations() {
		if o.Folder != "" {
			srv.Intake(o.Key).Want(200)
		}
	}
	if got := op.Search("?_type=CarePlan,Goal,Observation,DocumentReference,Coverage").Total(); got != before {
		t.Errorf("%s records after the same files came again, %s before", got, before)
	}
}

func TestIntakeRefuses(t *testing.T) {
	srv := servertest.Start(t)
	op := srv.As(servertest.Operator)
	card := filesOf(t, "insurer")
	for _, tt := range []struct {
		name, as string
		files    []mapping.File
		status   int
		issue    string
	}{
		{"another organisation's file", "day-care", filesOf(t, "care-manager"), 403, "security/token-organization"},
		{"a file of no known form", "hospital", []mapping.File{{Name: "メモ.csv", Data: []byte("a,b\r\n")}}, 422, "structure/file-unknown"},
		{"one bad file among good ones", "insurer", append(filesOf(t, "insurer"), mapping.File{Name: "x.txt", Data: []byte("x")}), 422, "structure/file-unknown"},
		{"a truncated file", "insurer", []mapping.File{{Name: card[0].Name, Data: card[0].Data[:len(card[0].Data)-40]}}, 422, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := op.On(t).Search("?_summary=count&_type=" + stored).Total()
			r := srv.As(tt.as).On(t).Upload(tt.files...).Want(tt.status)
			if got := r.Issue(); tt.issue != "" && got != tt.issue {
				t.Errorf("%s, want %s\n%s", got, tt.issue, r.Body)
			}
			if after := op.On(t).Search("?_summary=count&_type=" + stored).Total(); after != before {
				t.Errorf("%s resources, %s before", after, before)
			}
		})
	}
}

func TestIntakeForms(t *testing.T) {
	srv := servertest.Start(t)
	c := srv.As("insurer")
	card := filesOf(t, "insurer")[0]
	raw := func(headers ...servertest.Header) *servertest.Response {
		return c.Do("POST", "$intake", string(card.Data), append(headers, "Content-Type: text/csv")...)
	}
	raw("Content-Disposition: attachment; filename*=UTF-8''%E4%BB%8B%E8%AD%B7%E4%BF%9D%E9%99%BA%E8%A2%AB%E4%BF%9D%E9%99%BA%E8%80%85%E8%A8%BC_479998_20260401090000.csv").Want(200)
	raw(`Content-Disposition: attachment; filename="` + card.Name + `"`).Want(200)
	if got := raw().Want(400).Issue(); got != "required/file-name" {
		t.Error(got)
	}
	c.Do("POST", "$intake", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.csv\"\r\n\r\nx,y", "Content-Type: multipart/form-data; boundary=b").Want(400)
	c.Do("POST", "$intake", "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nx\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b").Want(400)
	c.Do("GET", "$intake", "").Want(405)
	srv.Anonymous().Upload(card).Want(401)
}

// stored are the types that the forms make.
const stored = "Patient,Organization,Practitioner,Coverage,CarePlan,Goal,Observation,QuestionnaireResponse,DocumentReference,Bundle"

func filesOf(t *testing.T, name string) []mapping.File {
	t.Helper()
	for _, o := range samples.Organizations() {
		if o.Key == name {
			return samples.Of(o)
		}
	}
	t.Fatalf("no sample organisation %q", name)
	return nil
}

// TestIntakeRefusesAnotherPersonUnderTheNumber sends an opinion whose birth
// date is not that of the person the insured number belongs to.
func TestIntakeRefusesAnotherPersonUnderTheNumber(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("insurer").Want(200)
	files := filesOf(t, "hospital")
	changed := bytes.ReplaceAll(files[0].Data, []byte("19430305"), []byte("19530305"))
	if bytes.Equal(changed, files[0].Data) {
		t.Fatal("the sample does not hold the birth date")
	}
	r := srv.As("hospital").Upload(mapping.File{Name: files[0].Name, Data: changed}).Want(422)
	if got := r.Issue(); got != "business-rule/person-mismatch" {
		t.Errorf("%s\n%s", got, r.Body)
	}
	if strings.Contains(string(r.Body), "1943") || strings.Contains(string(r.Body), "1953") {
		t.Errorf("the answer tells a birth date: %s", r.Body)
	}
	if got := srv.As(servertest.Operator).Search("DocumentReference?_summary=count").Total(); got != "0" {
		t.Errorf("%s opinions stored", got)
	}
}
