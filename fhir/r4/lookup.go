package r4

// TypeByName finds a type: "Patient", "HumanName", "date", "Patient.contact".
func TypeByName(name string) (*Type, bool) {
	t, ok := load().types[name]
	return t, ok
}

// ResourceTypes returns the names of the concrete resource types, sorted. The
// slice must not be changed.
func ResourceTypes() []string { return load().resources }

// SearchParameters returns the parameters that apply to a resource type,
// those of Resource and DomainResource included, sorted by code. The names of
// these two give the parameters of all types. The slice must not be changed.
func SearchParameters(resourceType string) []*SearchParameter {
	return load().parameters[resourceType]
}

// SearchParameterByURL finds a parameter by its canonical URL.
func SearchParameterByURL(url string) (*SearchParameter, bool) {
	p, ok := load().parameterByURL[url]
	return p, ok
}

// Compartment returns the codes of the search parameters that put a resource
// type into a compartment ("Patient", "Practitioner", …); ok is false where
// the type does not belong to it. The code "{def}" stands for the resource
// whose compartment it is.
// https://hl7.org/fhir/R4/compartmentdefinition.html
func Compartment(compartment, resourceType string) (codes []string, ok bool) {
	codes, ok = load().compartments[[2]string{compartment, resourceType}]
	return codes, ok
}
