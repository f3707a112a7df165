package validate

import "github.com/kaigofhir/kaigofhir/fhir"

// vitalSigns are the codes by which an Observation must follow a vital signs
// profile of R4, whether it says so or not: the LOINC codes of the profiles,
// and the SNOMED CT codes that mean the same.
// https://hl7.org/fhir/R4/observation-vitalsigns.html
var vitalSigns = map[[2]string]string{
	{"http://loinc.org", "85353-1"}: "vitalspanel",
	{"http://loinc.org", "9279-1"}:  "resprate",
	{"http://loinc.org", "8867-4"}:  "heartrate",
	{"http://loinc.org", "2708-6"}:  "oxygensat",
	{"http://loinc.org", "8310-5"}:  "bodytemp",
	{"http://loinc.org", "8302-2"}:  "bodyheight",
	{"http://loinc.org", "9843-4"}:  "headcircum",
	{"http://loinc.org", "29463-7"}: "bodyweight",
	{"http://loinc.org", "39156-5"}: "bmi",
	{"http://loinc.org", "85354-9"}: "bp",

	{"http://snomed.info/sct", "86290005"}:  "resprate",
	{"http://snomed.info/sct", "364075005"}: "heartrate",
	{"http://snomed.info/sct", "276885007"}: "bodytemp",
	{"http://snomed.info/sct", "50373000"}:  "bodyheight",
	{"http://snomed.info/sct", "27113001"}:  "bodyweight",
	{"http://snomed.info/sct", "60621009"}:  "bmi",
	{"http://snomed.info/sct", "75367002"}:  "bp",
}

// vitalSign checks an Observation with one of those codes.
func (r *run) vitalSign(e *fhir.Element) {
	if r.noImplied {
		return
	}
	for c := range e.Get("code").All("coding") {
		if name, ok := vitalSigns[[2]string{c.Text("system"), c.Text("code")}]; ok {
			r.against(e, coreURL+name)
			return
		}
	}
}
