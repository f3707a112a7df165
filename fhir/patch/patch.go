// Package patch changes resources by JSON Patch, FHIRPath Patch and Merge
// Patch. A patch never changes its input: it works on a copy. It may change
// neither the type nor the id of a resource. Errors are fhir.Issues.
// https://hl7.org/fhir/R4/http.html#patch
package patch

import "github.com/kaigofhir/kaigofhir/fhir"

// FHIRPath applies a FHIRPath Patch: a Parameters resource whose parameters
// are operations. https://hl7.org/fhir/R4/fhirpatch.html
func FHIRPath(resource, params *fhir.Element) (*fhir.Element, error) { panic("contract") }

// JSON applies a JSON Patch document to the JSON form of the resource.
// https://www.rfc-editor.org/rfc/rfc6902
func JSON(resource *fhir.Element, patch []byte) (*fhir.Element, error) { panic("contract") }

// Merge applies a JSON Merge Patch document to the JSON form of the resource.
// https://www.rfc-editor.org/rfc/rfc7396
func Merge(resource *fhir.Element, patch []byte) (*fhir.Element, error) { panic("contract") }
