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
func encodeXML(e *fhir.Element, pretty bool) []byte {
	if pretty {
		return fhirxml.AppendIndent(nil, e)
	}
	return fhirxml.Append(nil, e)
}
