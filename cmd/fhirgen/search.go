package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// searchParameter is the part of a SearchParameter the tables need.
type searchParameter struct {
	URL, Code, Type, Expression        string
	Base, Target, Comparator, Modifier []string
	Component                          []r4.SearchComponent
}

func buildParameters(files []file) ([]*r4.SearchParameter, error) {
	var out []*r4.SearchParameter
	for _, f := range files {
		var p searchParameter
		if err := json.Unmarshal(f.Data, &p); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out = append(out, &r4.SearchParameter{
			URL: p.URL, Code: p.Code, Type: p.Type, Base: p.Base, Target: p.Target, Expression: p.Expression,
			Components: p.Component, Comparator: p.Comparator, Modifier: p.Modifier,
		})
	}
	slices.SortFunc(out, func(a, b *r4.SearchParameter) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.URL, b.URL))
	})
	return out, nil
}

// buildCompartments flattens the CompartmentDefinitions; a resource without
// parameters is not in the compartment.
// https://hl7.org/fhir/R4/compartmentdefinition.html
func buildCompartments(files []file) ([]compartment, error) {
	var out []compartment
	for _, f := range files {
		var d struct {
			Code     string
			Resource []struct {
				Code  string
				Param []string
			}
		}
		if err := json.Unmarshal(f.Data, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		for _, r := range d.Resource {
			if len(r.Param) > 0 {
				out = append(out, compartment{d.Code, r.Code, r.Param})
			}
		}
	}
	return out, nil
}
