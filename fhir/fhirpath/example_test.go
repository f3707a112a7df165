package fhirpath_test

import (
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

func ExampleCompile() {
	patient := fhir.NewResource("Patient")
	patient.Add("name").Set("use", "official").Set("text", "見本 花子")
	patient.Add("name").Set("text", "ミホン ハナコ")

	x, err := fhirpath.Compile("name.where(use = 'official').text")
	if err != nil {
		fmt.Println(err)
		return
	}
	names, err := x.Evaluate(nil, patient)
	fmt.Println(names, err)
	// Output: [見本 花子] <nil>
}

func ExampleExpression_EvaluateBool() {
	patient := fhir.NewResource("Patient")
	patient.Set("birthDate", "1940-05")

	x := fhirpath.MustCompile("birthDate < @1940-05-20")
	value, known, err := x.EvaluateBool(nil, patient)
	fmt.Println(value, known, err) // the day of birth is open
	// Output: false false <nil>
}
