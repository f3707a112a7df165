package validate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// TestHostileResources checks resources that are large in the one way that
// could make checking them quadratic; a deadline, generous for linear work,
// ends the test otherwise.
func TestHostileResources(t *testing.T) {
	const n = 20000
	repeat := func(format string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			if strings.Contains(format, "%") {
				fmt.Fprintf(&b, format, i)
			} else {
				b.WriteString(format)
			}
		}
		return b.String()
	}
	tests := []struct{ name, json string }{
		{"contained and references", `{"resourceType":"List","status":"current","mode":"working","contained":[` + repeat(`{"resourceType":"Basic","id":"a%d","code":{"text":"x"}}`) + `],"entry":[` + repeat(`{"item":{"reference":"#a%d"}}`) + `]}`},
		{"faults in one line", `{"resourceType":"Patient","name":[` + repeat(`{"use":"x"}`) + `]}`},
		{"the same fullUrl", `{"resourceType":"Bundle","type":"collection","entry":[` + repeat(`{"fullUrl":"urn:uuid:187e0c12-8dd2-67e2-99b2-bf273c878281","resource":{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"urn:uuid:187e0c12-8dd2-67e2-99b2-bf273c878281"}}}`) + `]}`},
		{"slices", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"component":[` + repeat(`{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]}}`) + `]}`},
		{"canonicals of something else", `{"resourceType":"Patient","extension":[` + repeat(`{"url":"http://hl7.org/fhir/ValueSet/observation-codes","valueCoding":{"system":"http://hl7.org/fhir/StructureDefinition/Bundle","code":"x"}}`) + `]}`},
		{"links", `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">` + strings.ReplaceAll(repeat(`<a href='#x%d'>x</a>`), ",", "") + `</div>"}}`},
		{"items", `{"resourceType":"QuestionnaireResponse","status":"completed","contained":[{"resourceType":"Questionnaire","id":"q","status":"active","item":[{"linkId":"1","type":"string"}]}],"questionnaire":"#q","item":[` + repeat(`{"linkId":"1","answer":[{"valueString":"x"}]}`) + `]}`},
	}
	v, err := validate.New(validate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := fhirjson.Decode([]byte(tt.json), fhirjson.Options{})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				v.Validate(context.Background(), r, validate.Options{Source: []byte(tt.json)})
				close(done)
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("still busy after a minute")
			}
		})
	}
}
