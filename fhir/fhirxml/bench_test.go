package fhirxml_test

import (
	"os"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

func observation(b *testing.B) *fhir.Element {
	b.Helper()
	data, err := os.ReadFile("../fhirjson/testdata/observation.json")
	if err != nil {
		b.Fatal(err)
	}
	e, err := fhirjson.Decode(data, fhirjson.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// Budget on one core: 60 MB/s.
func BenchmarkDecode(b *testing.B) {
	source := fhirxml.Append(nil, observation(b))
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhirxml.Decode(source, fhirxml.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Budget on one core: 150 MB/s.
func BenchmarkAppend(b *testing.B) {
	e := observation(b)
	buf := fhirxml.Append(nil, e)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = fhirxml.Append(buf[:0], e)
	}
}
