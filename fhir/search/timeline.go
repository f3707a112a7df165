package search

import (
	"bytes"
	"slices"
	"strings"
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

var (
	patientKeys = append(keyPrefix("patient"), kindReference)
	subjectKeys = append(keyPrefix("subject"), kindReference)
	ofPatient   = []byte("\x00Patient") // ends the keys of references to patients
)

// Timeline returns the parameter by which an engine keeps the resources of a
// type that have this key in order, the same for all keys of the type, and nil
// for most keys: the records of a patient by their date. The timeline is kept by
// another key, list, where that finds the same resources. Both are part of the
// format of a store.
func Timeline(resourceType string, key []byte) (by *Parameter, list []byte) {
	switch {
	case bytes.HasPrefix(key, patientKeys):
		return timelines()[resourceType], key
	case !bytes.HasPrefix(key, subjectKeys):
		return nil, nil
	case bytes.HasSuffix(key, ofPatient) && patientIsSubject()[resourceType]:
		return timelines()[resourceType], slices.Concat(patientKeys, key[len(subjectKeys):])
	}
	return timelines()[resourceType], key
}

// patientIsSubject names the types whose parameter "patient" is "subject" where
// that is a patient.
var patientIsSubject = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, t := range r4.ResourceTypes() {
		var patient, subject []string
		for _, p := range r4.SearchParameters(t) {
			switch p.Code {
			case "patient":
				patient = pathsOf(t, p.Expression)
			case "subject":
				subject = pathsOf(t, p.Expression)
			}
		}
		out[t] = len(patient) == 1 && len(subject) == 1 && patient[0] == subject[0]+".where(resolve() is Patient)"
	}
	return out
})

// pathsOf returns the parts of an expression that are of one type.
func pathsOf(resourceType, expression string) []string {
	var out []string
	for path := range strings.SplitSeq(expression, "|") {
		if path = strings.TrimSpace(path); strings.HasPrefix(path, resourceType+".") {
			out = append(out, path)
		}
	}
	return out
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
