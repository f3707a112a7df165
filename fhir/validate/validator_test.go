package validate_test

import (
	"context"
	"sync"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

func TestConcurrentUse(t *testing.T) {
	v, err := validate.New(validate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := mustDecode(t, []byte(bloodPressure))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if issues := v.Validate(context.Background(), r, validate.Options{}); len(issues) > 0 {
					t.Errorf("%v", issues)
				}
			}
		})
	}
	wg.Wait()
}

func TestUnusableDefinitions(t *testing.T) {
	_, err := validate.New(validate.Config{Resources: []*fhir.Element{fhir.NewResource("StructureDefinition")}})
	if err == nil {
		t.Error("a StructureDefinition without url was taken")
	}
}

func TestLineAndColumn(t *testing.T) {
	v, err := validate.New(validate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	source := []byte("{\"resourceType\": \"Patient\",\n \"name\": [{\"text\": \"山田\"}, {\"text\": \"太郎\", \"use\": \"x\"}]}")
	for _, i := range v.Validate(t.Context(), mustDecode(t, source), validate.Options{Source: source}) {
		if i.ID == "binding-required" {
			if i.Line != 2 || i.Column != 49 || i.Expression != "Patient.name[1].use" {
				t.Errorf("%s at line %d, column %d", i.Expression, i.Line, i.Column)
			}
			return
		}
	}
	t.Error("the wrong code was not found")
}

// FuzzValidate looks for resources that make the validator panic.
func FuzzValidate(f *testing.F) {
	v, err := validate.New(validate.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(bloodPressure))
	f.Add([]byte(`{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition"}},{"fullUrl":"urn:uuid:1","request":{"url":"?"}}]}`))
	f.Add([]byte(`{"resourceType":"QuestionnaireResponse","contained":[{"resourceType":"Questionnaire","id":"q","item":[{"linkId":"1","enableWhen":[{"question":"1"}]}]}],"questionnaire":"#q","item":[{"linkId":"1","answer":[{}]}]}`))
	f.Add([]byte(`{"resourceType":"Patient","extension":[{"url":"x|y","extension":[{"url":"#"}]}],"text":{"div":"<div><a href='javascript:'/>"},"link":[{"other":{"reference":"#"}}],"_birthDate":{"id":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := fhirjson.Decode(data, fhirjson.Options{KeepUnknown: true, KeepEmpty: true})
		if err != nil {
			return
		}
		v.Validate(t.Context(), r, validate.Options{Source: data})
	})
}
