package searchscript

import (
	"fmt"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// BaseURL is the service base the scripts are written for.
const BaseURL = "https://fhir.example.jp/r4"

// Options are what a registry must be made with to run every script. A server
// that has another base, no full text or another terminology runs the scripts
// that need nothing (see Script.Needs).
func Options() search.Options {
	return search.Options{BaseURL: BaseURL, FullText: true, Terminology: Terminology()}
}

// Terminology is the small terminology of the scripts, beside that of R4: care
// levels as a hierarchy in http://example.jp/care.
//
//	any ⊃ support ⊃ support-1, support-2
//	any ⊃ care ⊃ care-1, care-2, care-3
//
// The value set http://example.jp/vs/light is support-1, support-2 and care-1,
// http://example.jp/vs/empty has no codes.
var Terminology = sync.OnceValue(func() *terminology.Memory {
	var resources []*fhir.Element
	for _, text := range definitions {
		e, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
		if err != nil {
			panic(fmt.Sprintf("searchscript: %v in %s", err, text))
		}
		resources = append(resources, e)
	}
	return terminology.New(terminology.Config{Resources: resources})
})

var definitions = []string{
	`{"resourceType":"CodeSystem","url":"http://example.jp/care","status":"active","content":"complete","concept":[{"code":"any","concept":[
		{"code":"support","concept":[{"code":"support-1"},{"code":"support-2"}]},
		{"code":"care","concept":[{"code":"care-1"},{"code":"care-2"},{"code":"care-3"}]}]}]}`,
	`{"resourceType":"ValueSet","url":"http://example.jp/vs/light","status":"active","compose":{"include":[{"system":"http://example.jp/care",
		"concept":[{"code":"support-1"},{"code":"support-2"},{"code":"care-1"}]}]}}`,
	`{"resourceType":"ValueSet","url":"http://example.jp/vs/empty","status":"active","compose":{"include":[{"system":"http://example.jp/care",
		"filter":[{"property":"code","op":"=","value":"none"}]}]}}`,
}
