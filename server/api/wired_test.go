package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// The server gives the search all it needs: terminology for :in and :below,
// the text index, and its own address, below which absolute references are
// local.
func TestSearchIsWired(t *testing.T) {
	srv := servertest.Start(t)
	op := srv.As(servertest.Operator)
	for _, r := range []string{
		`{"resourceType":"Patient","id":"p1","gender":"female","name":[{"family":"山田"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">通所介護を週二回利用しています</div>"}}`,
		`{"resourceType":"Patient","id":"p2","gender":"male","name":[{"family":"鈴木"}]}`,
		`{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}],"text":"居室の湿度"},"subject":{"reference":"` + srv.URL + `/Patient/p1"}}`,
		`{"resourceType":"List","id":"l1","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/p2"}}]}`,
	} {
		op.Update(r).Want(201)
	}
	for _, tt := range []struct{ name, query, want string }{
		{"a value set of R4", "Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", "Patient/p1 Patient/p2"},
		{"not in one", "Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", ""},
		{"a code itself is below it", "Patient?gender:below=http://hl7.org/fhir/administrative-gender|female", "Patient/p1"},
		{"Japanese narrative", "Patient?_text=通所介護", "Patient/p1"},
		{"a part of a Japanese word", "Patient?_text=介護を", "Patient/p1"},
		{"words that are not there together", "Patient?_text=訪問介護", ""},
		{"content outside of the narrative", "Observation?_content=居室の湿度", "Observation/o1"},
		{"the narrative is content too", "Patient?_content=利用", "Patient/p1"},
		{"content is not narrative", "Observation?_text=居室", ""},
		{"absolute reference stored, relative asked", "Observation?subject=Patient/p1", "Observation/o1"},
		{"absolute reference asked", "Observation?subject=" + srv.URL + "/Patient/p1", "Observation/o1"},
		{"absolute reference chained", "Observation?subject:Patient.family=山田", "Observation/o1"},
		{"members of a list", "Patient?_list=l1", "Patient/p2"},
		{"members of a list, of another type", "Observation?_list=l1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, query, _ := strings.Cut(tt.query, "?")
			name, value, _ := strings.Cut(query, "=")
			keys := op.On(t).Search(path + "?" + name + "=" + url.QueryEscape(value)).Want(200).Keys("match")
			slices.Sort(keys)
			same(t, tt.query, strings.Join(keys, " "), tt.want)
		})
	}
}
