package validate

import (
	"math/big"
	"strings"
	"time"

	"github.com/iimos/ucum"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// compare orders two values of the same type: -1, 0 or 1. ok is false where
// they cannot be compared.
// https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_
func compare(a, b *fhir.Element) (order int, ok bool) {
	if a.Type == nil || b.Type == nil {
		return 0, false
	}
	switch {
	case isA(a.Type.Name, "Quantity"):
		return compareQuantity(a, b)
	case a.Kind == fhir.Number:
		return compareNumber(a.Value, b.Value)
	case a.Type.Name == "date" || a.Type.Name == "dateTime" || a.Type.Name == "instant":
		return compareDate(a.Value, b.Value)
	case a.Type.Name == "time":
		return strings.Compare(a.Value, b.Value), a.Value != "" && b.Value != ""
	}
	return 0, false
}

// maxNumber bounds numbers that are turned into exact fractions.
const maxNumber = 64

func number(s string) (*big.Rat, bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 4 || len(s) > maxNumber {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func compareNumber(a, b string) (int, bool) {
	x, okX := number(a)
	y, okY := number(b)
	if !okX || !okY {
		return 0, false
	}
	return x.Cmp(y), true
}

// compareQuantity compares in the unit of b, converting by UCUM.
func compareQuantity(a, b *fhir.Element) (int, bool) {
	x, okX := number(a.Text("value"))
	y, okY := number(b.Text("value"))
	if !okX || !okY {
		return 0, false
	}
	from, to := a.Text("code"), b.Text("code")
	switch {
	case from == to && a.Text("system") == b.Text("system"):
	case a.Text("system") == ucumURL && b.Text("system") == ucumURL && len(from) < maxUnit && len(to) < maxUnit:
		converted, err := ucum.ConvBigRat(x, from, to)
		if err != nil {
			return 0, false
		}
		x = converted
	default:
		return 0, false
	}
	return x.Cmp(y), true
}

const (
	ucumURL = "http://unitsofmeasure.org"
	maxUnit = 256
)

// compareDate compares two dates at the coarser of their precisions; those
// with a time compare as instants where both have a time zone.
func compareDate(a, b string) (int, bool) {
	if a == "" || b == "" {
		return 0, false
	}
	if x, err := time.Parse(time.RFC3339, a); err == nil {
		if y, err := time.Parse(time.RFC3339, b); err == nil {
			return x.Compare(y), true
		}
	}
	a, _, _ = strings.Cut(a, "T")
	b, _, _ = strings.Cut(b, "T")
	n := min(len(a), len(b))
	return strings.Compare(a[:n], b[:n]), true
}
