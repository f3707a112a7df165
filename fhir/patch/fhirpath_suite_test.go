package patch_test

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
)

const fhirSuite = "../../testdata/fhir-test-cases/r4/patch/fhir-patch-tests.xml"

type inner struct {
	XML string `xml:",innerxml"`
}

// TestOfficialFHIRPathPatch runs all official cases.
func TestOfficialFHIRPathPatch(t *testing.T) {
	data, err := os.ReadFile(fhirSuite)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Cases []struct {
			Name   string `xml:"name,attr"`
			Input  inner  `xml:"input"`
			Diff   inner  `xml:"diff"`
			Output inner  `xml:"output"`
		} `xml:"case"`
	}
	if err := xml.Unmarshal(data, &suite); err != nil {
		t.Fatal(err)
	}
	for _, c := range suite.Cases {
		t.Run(c.Name, func(t *testing.T) {
			input := fromXML(t, c.Input.XML)
			before := asJSON(input)
			got, err := patch.FHIRPath(input, fromXML(t, c.Diff.XML))
			if diff := cmp.Diff(before, asJSON(input)); diff != "" {
				t.Errorf("the input changed:\n%s", diff)
			}
			if c.Output.XML == "" {
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := fromXML(t, c.Output.XML)
			if diff := cmp.Diff(blankless(asJSON(want)), blankless(asJSON(got))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	t.Logf("%d cases", len(suite.Cases))
}

// blankless evens out the white space and quotes of narratives, which the
// suite writes at will.
func blankless(s string) string {
	s = strings.NewReplacer(`\n`, "", `\r`, "", "&quot;", `\"`).Replace(s)
	return strings.Join(strings.Fields(s), "")
}

func fromXML(t testing.TB, s string) *fhir.Element {
	t.Helper()
	e, err := fhirxml.Decode([]byte(strings.TrimSpace(s)), fhirxml.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return e
}

func fromJSON(t testing.TB, s string) *fhir.Element {
	t.Helper()
	e, err := fhirjson.Decode([]byte(s), fhirjson.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return e
}

func asJSON(e *fhir.Element) string { return string(fhirjson.AppendIndent(nil, e)) }
