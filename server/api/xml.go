package api

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// decodeXML reads a resource in XML.
func decodeXML(data []byte, limit int) (*fhir.Element, error) {
	return fhirxml.Decode(data, fhirxml.Options{MaxBytes: limit})
}

// encodeXML writes a resource in XML.
func encodeXML(e *fhir.Element, _ bool) []byte { return fhirxml.Append(nil, e) }
