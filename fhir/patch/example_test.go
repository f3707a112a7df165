package patch_test

import (
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
)

func ExampleJSON() {
	patient := fhir.NewResource("Patient").Set("id", "p1").Set("active", "true")
	changed, err := patch.JSON(patient, []byte(`[
		{"op": "test", "path": "/active", "value": true},
		{"op": "replace", "path": "/active", "value": false}
	]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(fhirjson.Append(nil, changed)))
	// Output: {"resourceType":"Patient","id":"p1","active":false}
}
