package search

import (
	"bytes"
	"slices"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// timelineCodes are the parameters by which the records of a patient are most
// often put in order of time, for types where that is not "date".
var timelineCodes = map[string]string{
	"Basic":                       "created",
	"ChargeItem":                  "occurrence",
	"Claim":                       "created",
	"ClaimResponse":               "created",
	"Communication":               "sent",
	"CommunicationRequest":        "authored",
	"Condition":                   "recorded-date",
	"Contract":                    "issued",
	"CoverageEligibilityRequest":  "created",
	"CoverageEligibilityResponse": "created",
	"DetectedIssue":               "identified",
	"DeviceRequest":               "authored-on",
	"DocumentManifest":            "created",
	"ExplanationOfBenefit":        "created",
	"Goal":                        "start-date",
	"ImagingStudy":                "started",
	"Media":                       "created",
	"MedicationAdministration":    "effective-time",
	"MedicationDispense":          "whenhandedover",
	"MedicationRequest":           "authoredon",
	"MedicationStatement":         "effective",
	"NutritionOrder":              "datetime",
	"Provenance":                  "recorded",
	"QuestionnaireResponse":       "authored",
	"RequestGroup":                "authored",
	"ServiceRequest":              "authored",
	"Specimen":                    "collected",
	"Task":                        "authored-on",
	"VisionPrescription":          "datewritten",
}

var timelines = sync.OnceValue(func() map[string]*Parameter {
	out := map[string]*Parameter{}
	for _, t := range r4.ResourceTypes() {
		code, ok := timelineCodes[t]
		if !ok {
			code = "date"
		}
		for _, p := range r4.SearchParameters(t) {
			if p.Code == code {
				out[t] = &Parameter{SearchParameter: p}
			}
		}
	}
	return out
})

var timelineKeys = [][]byte{append(keyPrefix("patient"), kindReference), append(keyPrefix("subject"), kindReference)}

// Timeline returns the parameter by which an engine keeps the resources of a
// type that have this key in order, the same for all keys of the type, and nil
// for most keys: the records of a patient by their date. What it returns is part
// of the format of a store.
func Timeline(resourceType string, key []byte) *Parameter {
	for _, prefix := range timelineKeys {
		if bytes.HasPrefix(key, prefix) {
			return timelines()[resourceType]
		}
	}
	return nil
}

var kindKeys = [][]byte{append(keyPrefix("category"), kindToken), append(keyPrefix("code"), kindToken), append(keyPrefix("type"), kindToken)}

// TimelineKind tells whether a key is of what the records of a patient are most
// often narrowed to: a code, a category or a type. An engine keeps the timeline
// of a patient apart for each of them too. It is part of the format of a store.
func TimelineKind(key []byte) bool {
	return slices.ContainsFunc(kindKeys, func(prefix []byte) bool { return bytes.HasPrefix(key, prefix) })
}

// Hint returns the beginning of a key that tells it from most others: that of
// tokens without their system, and of references without their type; nil for
// keys of other kinds. All keys that begin with a hint have that hint. It is
// part of the format of a store.
func Hint(key []byte) []byte {
	code := bytes.IndexByte(key, 0)
	if code <= 0 || key[0] == '_' || key[0] == containedCode[0] || code+1 >= len(key) {
		return nil
	}
	if kind := key[code+1]; kind != kindToken && kind != kindReference {
		return nil
	}
	value := bytes.IndexByte(key[code+2:], 0)
	if value < 0 {
		return nil
	}
	return key[:code+2+value+1]
}
