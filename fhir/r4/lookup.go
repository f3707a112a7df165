package r4

// TypeByName finds a type: "Patient", "HumanName", "date", "Patient.contact".
func TypeByName(name string) (*Type, bool) { panic("contract") }

// ResourceTypes returns the names of the concrete resource types, sorted.
func ResourceTypes() []string { panic("contract") }

// SearchParameters returns the parameters that apply to a resource type,
// those of Resource and DomainResource included, sorted by code.
func SearchParameters(resourceType string) []*SearchParameter { panic("contract") }

// SearchParameterByURL finds a parameter by its canonical URL.
func SearchParameterByURL(url string) (*SearchParameter, bool) { panic("contract") }

// Compartment returns the codes of the search parameters that put a resource
// type into a compartment ("Patient", "Practitioner", …); ok is false where
// the type does not belong to it.
// https://hl7.org/fhir/R4/compartmentdefinition.html
func Compartment(compartment, resourceType string) (codes []string, ok bool) { panic("contract") }

// Conformance returns the JSON of a conformance resource of the base
// specification (StructureDefinition with snapshot, ValueSet, CodeSystem,
// ConceptMap, SearchParameter, OperationDefinition, …) by its canonical URL
// without version. The bytes must not be changed.
func Conformance(url string) ([]byte, bool) { panic("contract") }

// ConformanceURLs returns the canonical URLs of the embedded conformance
// resources of a resource type ("ValueSet"), sorted.
func ConformanceURLs(resourceType string) []string { panic("contract") }
