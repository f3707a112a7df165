package fhirjson_test

import (
	_ "embed"
	"encoding/json"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

//go:embed testdata/observation.json
var observation []byte

// Budget on one core: 150 MB/s, or three times BenchmarkMapDecode.
func BenchmarkDecode(b *testing.B) {
	r4.ResourceTypes() // loads the tables
	b.SetBytes(int64(len(observation)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhirjson.Decode(observation, fhirjson.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Budget on one core: 150 MB/s, or three times BenchmarkMapEncode.
func BenchmarkAppend(b *testing.B) {
	e, err := fhirjson.Decode(observation, fhirjson.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(observation)))
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = fhirjson.Append(buf[:0], e)
	}
}

// What the standard library needs for the same text without any checks.
func BenchmarkMapDecode(b *testing.B) {
	b.SetBytes(int64(len(observation)))
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := json.Unmarshal(observation, &m); err != nil {
			b.Fatal(err)
		}
	}
}

// What the standard library needs to write it.
func BenchmarkMapEncode(b *testing.B) {
	var m map[string]any
	if err := json.Unmarshal(observation, &m); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(observation)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(m); err != nil {
			b.Fatal(err)
		}
	}
}
