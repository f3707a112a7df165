package search

// Must is the mandatory predicate of a query: which resources the caller may
// see at all. Engines evaluate it before limit, sort and count, on matches,
// on chained and reverse-chained resources alike, and refuse a query whose
// Must they cannot evaluate. The zero value sees nothing.
type Must struct {
	// Unrestricted lifts the predicate. Only internal work and operators set it.
	Unrestricted bool
	// Any are alternatives: a resource is visible when one grant covers it.
	Any []Grant
}

// Grant covers the resources whose labels meet every field that is set. A
// Grant with no field set covers nothing.
type Grant struct {
	Types    []string // resource type is one of these
	Forms    []string // form label is one of these
	Authors  []string // author label (an Organization id) is one of these
	Patients Patients // a patient label is in this set; nil: no condition
	// ID narrows to one resource "Type/id".
	ID string
}

// Patients is a set of Patient ids. Implementations are immutable.
type Patients interface {
	Contains(id string) bool
	Len() int
	// IDs returns the ids, sorted. The slice must not be changed.
	IDs() []string
}

// Labels are what the mandatory predicate is evaluated on. They are given at
// each write by the interaction layer and kept with the version; clients never
// set them.
type Labels struct {
	// Form is the code of the care form the resource is, or is part of
	// ("physician-opinion"); "" for resources that belong to none.
	Form string
	// Author is the id of the Organization that made the record.
	Author string
	// Patients are the ids of the patients it is about, usually one.
	Patients []string
}

// Allows evaluates the predicate on one resource.
func (m Must) Allows(resourceType, id string, l Labels) bool {
	if m.Unrestricted {
		return true
	}
	for i := range m.Any {
		if m.Any[i].covers(resourceType, id, l) {
			return true
		}
	}
	return false
}

func (g *Grant) covers(resourceType, id string, l Labels) bool {
	set := false
	in := func(list []string, s string) bool {
		if len(list) == 0 {
			return true
		}
		set = true
		for _, x := range list {
			if x == s {
				return true
			}
		}
		return false
	}
	if !in(g.Types, resourceType) || !in(g.Forms, l.Form) || !in(g.Authors, l.Author) {
		return false
	}
	if g.Patients != nil {
		set = true
		found := false
		for _, p := range l.Patients {
			if g.Patients.Contains(p) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	if g.ID != "" {
		return g.ID == resourceType+"/"+id
	}
	return set
}
