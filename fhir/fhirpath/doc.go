// Package fhirpath is FHIRPath N1 with the additions of FHIR R4: compile an
// expression once, evaluate it many times, from many goroutines.
//
//	x, err := fhirpath.Compile("name.where(use = 'official').family")
//	names, err := x.Evaluate(nil, patient)
//
// Choices where the specifications leave room or contradict each other:
//
//   - as and ofType look at the exact type of primitives and at the type or a
//     subtype of everything else; is always looks at subtypes. The official
//     suite asks for it.
//   - as on more than one item is an error, except under Options.FilterAs,
//     which the R4 search parameters ("Observation.component.value as
//     Quantity") and invariants (dom-3) need.
//   - FHIR Quantities without a UCUM code, which have no System value, are
//     compared by value where system, code and unit are the same.
//   - a choice element is reached by its stem only ("Observation.value").
//
// https://hl7.org/fhirpath/N1/ https://hl7.org/fhir/R4/fhirpath.html
package fhirpath
