package validate_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// bloodPressure is a valid blood pressure with narrative.
const bloodPressure = `{
 "resourceType": "Observation", "id": "bp",
 "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},
 "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>血圧 <b>124/78</b> mmHg</p></div>"},
 "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:187e0c12-8dd2-67e2-99b2-bf273c878281"}],
 "status": "final",
 "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "Vital Signs"}]}],
 "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "血圧"},
 "subject": {"reference": "Patient/example"},
 "effectiveDateTime": "2026-01-17T09:30:00+09:00",
 "performer": [{"reference": "Practitioner/example"}],
 "component": [
  {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 124, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}},
  {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}, "valueQuantity": {"value": 78, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}}
 ]}`

// BenchmarkObservation checks a blood pressure against base R4 and the blood
// pressure profile, which its code asks for. Budget: 150 µs, 500 allocations.
func BenchmarkObservation(b *testing.B) {
	v, err := validate.New(validate.Config{})
	if err != nil {
		b.Fatal(err)
	}
	r, err := fhirjson.Decode([]byte(bloodPressure), fhirjson.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if issues := v.Validate(b.Context(), r, validate.Options{}); len(issues) > 0 {
		b.Fatalf("not valid: %+v", issues)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.Validate(b.Context(), r, validate.Options{})
	}
}
