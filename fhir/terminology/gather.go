package terminology

import (
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Need names a definition by its resource type and canonical ("url" or
// "url|version").
type Need struct{ Type, Canonical string }

// maxNeeds bounds how many definitions Gather asks for.
const maxNeeds = 200

// Gather collects definitions and those they draw on, for Memory.With. find
// returns a definition, nil where there is none; an error of it ends the work.
// ErrTooCostly tells that there are more than it follows.
func Gather(find func(Need) (*fhir.Element, error), start ...Need) ([]*fhir.Element, error) {
	var found []*fhir.Element
	done := map[Need]bool{}
	for ; len(start) > 0; start = start[1:] {
		need := start[0]
		if need.Canonical == "" || done[need] {
			continue
		}
		if len(done) == maxNeeds {
			return nil, fmt.Errorf("%w: more than %d definitions", ErrTooCostly, maxNeeds)
		}
		done[need] = true
		r, err := find(need)
		if err != nil {
			return nil, err
		}
		if r != nil {
			found = append(found, r)
			start = append(start, Needs(r)...)
		}
	}
	return found, nil
}

// Needs lists what a definition draws on: the code systems and value sets of a
// ValueSet, none for others.
func Needs(definition *fhir.Element) []Need {
	var list []Need
	for _, part := range []string{"include", "exclude"} {
		for clause := range definition.Get("compose").All(part) {
			if system := clause.Text("system"); system != "" {
				list = append(list, Need{"CodeSystem", withVersion(system, clause.Text("version"))})
			}
			for set := range clause.All("valueSet") {
				list = append(list, Need{"ValueSet", set.Value})
			}
		}
	}
	return list
}
