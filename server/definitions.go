package server

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// definitions are the definitions that are part of the server: the guide, which
// has those of its own operations, and R4.
type definitions struct {
	byID, byURL map[definitionKey]*fhir.Element
	guide       map[string][]*fhir.Element // by resource type
}

// definitionKey is a resource type with an id or a canonical URL.
type definitionKey struct{ resourceType, name string }

// definitions indexes the guide. A definition without an id has the last part of
// its URL for one; of several under one id or URL the last counts.
func (k *knowledge) definitions() *definitions {
	d := &definitions{map[definitionKey]*fhir.Element{}, map[definitionKey]*fhir.Element{}, map[string][]*fhir.Element{}}
	for _, e := range k.guide {
		url := e.Text("url")
		if e.ID() == "" {
			e = e.Clone().Set("id", url[strings.LastIndexByte(url, '/')+1:])
		}
		if !interaction.ValidID(e.ID()) {
			continue // it could not be read under its address
		}
		d.byID[definitionKey{e.ResourceType(), e.ID()}] = e
		d.byURL[definitionKey{e.ResourceType(), url}] = e
		d.guide[e.ResourceType()] = append(d.guide[e.ResourceType()], e)
	}
	return d
}

// Guide implements interaction.Definitions.
func (d *definitions) Guide(resourceType string) []*fhir.Element { return d.guide[resourceType] }

// ByID implements interaction.Definitions.
func (d *definitions) ByID(resourceType, id string) ([]byte, bool) {
	if e, ok := d.byID[definitionKey{resourceType, id}]; ok {
		return fhirjson.Append(nil, e), true
	}
	return r4.ConformanceByID(resourceType, id)
}

// ByURL implements interaction.Definitions.
func (d *definitions) ByURL(resourceType, url string) ([]byte, bool) {
	if e, ok := d.byURL[definitionKey{resourceType, url}]; ok {
		return fhirjson.Append(nil, e), true
	}
	if _, ok := slices.BinarySearch(r4.ConformanceURLs(resourceType), url); !ok {
		return nil, false
	}
	return r4.Conformance(url)
}
