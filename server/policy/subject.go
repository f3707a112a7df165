package policy

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// subjectPaths are where resources name whom they are about. Other references
// to a Patient, such as a performer, do not make a record one about that
// patient: they must not open it to those who stand near that patient.
var subjectPaths = [][]string{{"subject"}, {"patient"}, {"beneficiary"}, {"for"}, {"individual"}, {"candidate"}, {"securityContext"}}

// subjectPathsOf are further ones, by type.
var subjectPathsOf = map[string][][]string{
	"Appointment":         {{"participant", "actor"}},
	"AppointmentResponse": {{"actor"}},
	"AuditEvent":          {{"entity", "what"}},
	"Group":               {{"member", "entity"}},
	"Person":              {{"link", "target"}},
	"Provenance":          {{"target"}},
	"Schedule":            {{"actor"}},
	"SupplyRequest":       {{"deliverTo"}},
}

// subjects returns the ids of the patients a resource is about, sorted.
func subjects(resource *fhir.Element) []string {
	if resource.ResourceType() == "Patient" {
		if id := resource.ID(); id != "" {
			return []string{id}
		}
		return nil
	}
	if resource.ResourceType() == "Bundle" {
		return documentSubjects(resource)
	}
	var ids []string
	for _, path := range slices.Concat(subjectPaths, subjectPathsOf[resource.ResourceType()]) {
		for ref := range at(resource, path...) {
			if id := sharing.LocalID(ref, "Patient"); id != "" {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// at yields every element at a path.
func at(e *fhir.Element, path ...string) func(yield func(*fhir.Element) bool) {
	return func(yield func(*fhir.Element) bool) { walk(e, path, yield) }
}

func walk(e *fhir.Element, path []string, yield func(*fhir.Element) bool) bool {
	if len(path) == 0 {
		return yield(e)
	}
	for c := range e.All(path[0]) {
		if !walk(c, path[1:], yield) {
			return false
		}
	}
	return true
}

// documentSubjects returns the patients of a Bundle: of a document, the subject
// of its Composition; of any other, the subjects of all entries. A subject that
// is itself an entry is known by the id of that Patient.
func documentSubjects(bundle *fhir.Element) []string {
	var ids []string
	for i, r := range entries(bundle) {
		if bundle.Text("type") == "document" && i > 0 {
			break
		}
		ids = append(ids, subjects(r)...)
		if target := r.Text("subject", "reference"); strings.Contains(target, ":") {
			ids = append(ids, entryPatient(bundle, target)...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// entries returns the resources in a Bundle.
func entries(bundle *fhir.Element) []*fhir.Element {
	return slices.Collect(at(bundle, "entry", "resource"))
}

func entryPatient(bundle *fhir.Element, fullURL string) []string {
	for e := range bundle.All("entry") {
		if e.Text("fullUrl") == fullURL {
			return knownAs(e.Get("resource"))
		}
	}
	return nil
}

// knownAs returns the id of a Patient in a document: its own or, where it has
// none because it is a copy made with the document, that of the local Patient
// it links to.
func knownAs(patient *fhir.Element) []string {
	if ids := subjects(patient); ids != nil || patient.ResourceType() != "Patient" {
		return ids
	}
	var ids []string
	for ref := range at(patient, "link", "other") {
		if id := sharing.LocalID(ref, "Patient"); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// authorPaths are where resources name the organisation that made them.
var authorPaths = map[string][][]string{
	"CarePlan":              {{"author"}},
	"Composition":           {{"custodian"}, {"author"}},
	"Coverage":              {{"payor"}},
	"DocumentReference":     {{"custodian"}, {"author"}},
	"Observation":           {{"performer"}},
	"QuestionnaireResponse": {{"author"}},
}

// foreignAuthor returns the path of an element that names organisations as
// makers of the record, none of which is the caller's; "" if there is none.
func foreignAuthor(resource *fhir.Element, organization string) string {
	if resource.ResourceType() == "Bundle" {
		for _, r := range entries(resource) {
			if r.ResourceType() == "Composition" {
				return foreignAuthor(r, organization)
			}
		}
		return ""
	}
	for _, path := range authorPaths[resource.ResourceType()] {
		named, own := false, false
		for ref := range at(resource, path...) {
			if id := sharing.LocalID(ref, "Organization"); id != "" {
				named, own = true, own || id == organization
			}
		}
		if named && !own {
			return resource.ResourceType() + "." + strings.Join(path, ".")
		}
	}
	return ""
}

// namedAuthor returns the first organisation a resource names as its maker.
func namedAuthor(resource *fhir.Element) string {
	for _, path := range authorPaths[resource.ResourceType()] {
		for ref := range at(resource, path...) {
			if id := sharing.LocalID(ref, "Organization"); id != "" {
				return id
			}
		}
	}
	return ""
}
