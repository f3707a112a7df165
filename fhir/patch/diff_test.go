package patch_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
)

func TestDiffSaysWhatChanged(t *testing.T) {
	from := fromJSON(t, `{"resourceType":"Patient","active":true,"name":[{"family":"山田","given":["花子","は"]}],"gender":"female","maritalStatus":{"text":"独身"}}`)
	to := fromJSON(t, `{"resourceType":"Patient","active":false,"name":[{"family":"山田","given":["花子"]},{"text":"旧姓 鈴木"}],"birthDate":"1940-02-03","maritalStatus":{"text":"独身"}}`)
	diff, err := patch.Diff(from, to)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for p := range diff.All("parameter") {
		line := ""
		for part := range p.All("part") {
			for _, c := range part.Children {
				if c.Def != nil && c.Def.Name == "value" && c.Kind != fhir.None {
					line += c.Value + " "
				}
			}
		}
		got = append(got, line)
	}
	want := []string{"replace Patient.active false ", "delete Patient.name[0].given[1] ", "add Patient name ", "add Patient birthDate 1940-02-03 ", "delete Patient.gender "}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestDiffRoundTrips turns each example of a type into each other and checks
// that the patch does it.
func TestDiffRoundTrips(t *testing.T) {
	byType := map[string][]*fhir.Element{}
	for example, err := range fhirtest.Some(os.DirFS("../..")) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := fhirjson.Decode(example.JSON, fhirjson.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(byType[e.ResourceType()]); n < 6 {
			byType[e.ResourceType()] = append(byType[e.ResourceType()], e)
		}
	}
	pairs := 0
	for _, list := range byType {
		for _, from := range list {
			for _, to := range list {
				if from == to {
					continue
				}
				pairs++
				checkDiff(t, from, to)
			}
		}
	}
	if pairs < 50 {
		t.Errorf("only %d pairs", pairs)
	}
}

func checkDiff(t *testing.T, from, to *fhir.Element) {
	t.Helper()
	want := to.Clone()
	want.Set("id", from.ID())
	before := asJSON(from)
	diff, err := patch.Diff(from, to)
	if err != nil {
		t.Fatal(err)
	}
	if asJSON(from) != before {
		t.Fatal("Diff changed its input")
	}
	wire, err := fhirjson.Decode(fhirjson.Append(nil, diff), fhirjson.Options{})
	if err != nil {
		t.Errorf("%s %s → %s: the patch is no R4: %v", from.ResourceType(), from.ID(), to.ID(), err)
		return
	}
	got, err := patch.FHIRPath(from, wire)
	if err != nil {
		t.Errorf("%s %s → %s: %v", from.ResourceType(), from.ID(), to.ID(), err)
		return
	}
	if d, err := fhirtest.Difference([]byte(asJSON(want)), []byte(asJSON(got))); d != "" || err != nil {
		t.Errorf("%s %s → %s: %s %v", from.ResourceType(), from.ID(), to.ID(), d, err)
	}
}
