package fhirjson_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

// FuzzDecode: reading never panics, and what was read and written is read and
// written again the same.
func FuzzDecode(f *testing.F) {
	f.Add(observation, false)
	for _, s := range []string{
		patient(`"name":[{"given":["a",null],"_given":[null,{"id":"g"}]}],"_birthDate":{"id":"b"},"birthDate":"1940"`),
		patient(`"contained":[{"resourceType":"Basic","id":"1"}],"new":{"a":[1.0E+2,"b",true]}`),
		patient(`"deceasedBoolean":true,"deceasedDateTime":"2020","name":{},"active":"x"`),
		`{"type":"batch","entry":[{"resource":{"id":"a","resourceType":"Patient"}}],"resourceType":"Bundle"}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, keep bool) {
		opts := fhirjson.Options{KeepUnknown: keep}
		e, err := fhirjson.Decode(data, opts)
		if err != nil {
			var issues fhir.Issues
			if !errors.As(err, &issues) || len(issues) == 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		once := fhirjson.Append(nil, e)
		e, err = fhirjson.Decode(once, opts)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice := fhirjson.Append(nil, e); !bytes.Equal(once, twice) {
			t.Errorf("%s\n%s", once, twice)
		}
	})
}
