package validate

import "github.com/kaigofhir/kaigofhir/fhir"

// equal tells whether two values are the same, as fixed[x] asks: same
// elements, same values, same order. Ids do not count.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
func equal(a, b *fhir.Element) bool {
	if a.Value != b.Value {
		return false
	}
	i := 0
	for _, c := range a.Children {
		if c.Name == "id" {
			continue
		}
		for i < len(b.Children) && b.Children[i].Name == "id" {
			i++
		}
		if i == len(b.Children) || c.Name != b.Children[i].Name || !equal(c, b.Children[i]) {
			return false
		}
		i++
	}
	for ; i < len(b.Children); i++ {
		if b.Children[i].Name != "id" {
			return false
		}
	}
	return true
}

// contains tells whether a value has at least what a pattern has: each
// element of the pattern is found in one repetition of the value.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
func contains(value, pattern *fhir.Element) bool {
	if pattern.Value != "" && value.Value != pattern.Value {
		return false
	}
	for _, p := range pattern.Children {
		found := false
		for _, c := range value.Children {
			if c.Name == p.Name && contains(c, p) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
