package search

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// The code systems of units and of currencies, which Money implies.
const (
	systemUCUM     = "http://unitsofmeasure.org"
	systemCurrency = "urn:iso:std:iso:4217"
)

// quantityItem is one quantity found in a resource. One with a comparator
// ("< 5") or a Range is the range it may lie in.
// https://hl7.org/fhir/R4/search.html#quantity
type quantityItem struct {
	numberItem
	system, code, unit string
	canonical          numberItem // in canonicalUnit; unset where that is ""
	canonicalUnit      string
}

// quantities appends the quantities of an element.
func (x *extraction) quantities(dst []quantityItem, e *fhir.Element) []quantityItem {
	var it quantityItem
	switch e.Type.Name {
	case "Money":
		d, ok := parseDecimal(e.Text("value"))
		if !ok {
			return dst
		}
		it.low, it.high = d, d
		it.system, it.code = systemCurrency, clean(e.Text("currency"))
	case "Range":
		var ok bool
		if it, ok = rangeItem(e); !ok {
			return dst
		}
	default:
		var ok bool
		if it, ok = quantityOf(e); !ok {
			return dst
		}
	}
	it.canonicalize(x.units())
	return append(dst, it)
}

func quantityOf(e *fhir.Element) (it quantityItem, ok bool) {
	comparator := ""
	for _, c := range e.Children {
		switch c.Name {
		case "value":
			it.low, ok = parseDecimal(c.Value)
			it.high = it.low
		case "comparator":
			comparator = c.Value
		case "unit":
			it.unit = clean(c.Value)
		case "system":
			it.system = clean(c.Value)
		case "code":
			it.code = clean(c.Value)
		}
	}
	switch comparator {
	case "<", "<=":
		it.low = minusInfinity
	case ">", ">=":
		it.high = plusInfinity
	}
	return it, ok
}

// rangeItem takes the unit from the end that has one.
func rangeItem(e *fhir.Element) (it quantityItem, ok bool) {
	low, okLow := quantityOf(orEmpty(e.Get("low")))
	high, okHigh := quantityOf(orEmpty(e.Get("high")))
	it = low
	if it.code == "" && it.unit == "" {
		it = high
	}
	it.low, it.high = minusInfinity, plusInfinity
	if okLow {
		it.low = low.low
	}
	if okHigh {
		it.high = high.high
	}
	return it, okLow || okHigh
}

func orEmpty(e *fhir.Element) *fhir.Element {
	if e == nil {
		return &fhir.Element{}
	}
	return e
}

func (it *quantityItem) canonicalize(u *units) {
	if it.system != systemUCUM || it.code == "" {
		return
	}
	unit, ok := u.canonical(it.code)
	if !ok {
		return
	}
	it.canonicalUnit = unit.name
	it.canonical = numberItem{unit.convert(it.low), unit.convert(it.high)}
}

func (it *quantityItem) keys(k *keys) {
	single := it.low == it.high
	if single {
		k.begin(kindQuantity)
		k.buf = it.low.append(k.buf)
	} else {
		k.begin(kindBetween)
		k.buf = it.high.append(it.low.append(k.buf))
	}
	k.text(it.code).sep()
	if it.unit != it.code {
		k.text(it.unit)
	}
	k.sep().text(shortSystem(it.system)).end()
	if it.canonicalUnit == "" {
		return
	}
	if single {
		k.begin(kindCanonical)
		k.text(it.canonicalUnit).sep()
		k.buf = it.canonical.low.append(k.buf)
	} else {
		k.begin(kindCanonicals)
		k.text(it.canonicalUnit).sep()
		k.buf = it.canonical.high.append(it.canonical.low.append(k.buf))
	}
	k.end()
}

// matches compares in the canonical unit where the query names a UCUM unit,
// and otherwise the plain number of the same unit.
func (it *quantityItem) matches(v *Value) bool {
	if c := v.Canonical; c != nil {
		w := c.wanted()
		return it.canonicalUnit == c.Code && it.canonical.matches(&w)
	}
	w := v.wanted()
	return it.numberItem.matches(&w) && unitMatches(v, it.system, it.code, it.unit)
}

// unitMatches compares the unit as written: system|code exactly, or code or
// unit where no system was given.
func unitMatches(v *Value, system, code, unit string) bool {
	switch {
	case v.Code == "" && v.System == nil:
		return true
	case v.System == nil || *v.System == "":
		return v.Code == code || v.Code == unit
	}
	return system == *v.System && (v.Code == "" || code == v.Code)
}

// canonicalize sets Canonical where the value is in a UCUM unit.
func (v *Value) canonicalize(u *units) {
	if v.System == nil || *v.System != systemUCUM || v.Code == "" {
		return
	}
	c, ok := u.canonical(v.Code)
	if !ok {
		return
	}
	w := v.wanted()
	v.Canonical = &Value{Prefix: v.Prefix, Code: c.name,
		Number: c.convert(w.exact).String(), Low: c.convert(w.low).String(), High: c.convert(w.high).String()}
}

func quantityRanges(v *Value) []Range {
	if c := v.Canonical; c != nil {
		w := c.wanted()
		single := append(appendText([]byte{kindCanonical}, c.Code), 0)
		spans := append(appendText([]byte{kindCanonicals}, c.Code), 0)
		return []Range{w.plain(single, nil), w.spans(spans, nil)}
	}
	w, unit := v.wanted(), keepUnit(v)
	return []Range{w.plain([]byte{kindQuantity}, unit), w.spans([]byte{kindBetween}, unit)}
}

// keepUnit looks at the unit in a key, which may be cut if it is very long.
func keepUnit(v *Value) func(rest []byte) bool {
	if v.Code == "" && v.System == nil {
		return nil
	}
	want := *v
	want.Code = string(appendText(nil, v.Code))
	if v.System != nil {
		system := string(appendText(nil, shortSystem(*v.System)))
		want.System = &system
	}
	return func(rest []byte) bool {
		code, rest := field(rest)
		unit, system := field(rest)
		if len(unit) == 0 {
			unit = code
		}
		return unitMatches(&want, string(system), string(code), string(unit))
	}
}

// shortSystem keeps the system of nearly all units out of the index.
func shortSystem(system string) string {
	if system == systemUCUM {
		return "\x02"
	}
	return system
}

// parseQuantity reads [prefix]number[|system|code].
func (r *Registry) parseQuantity(raw string) (Value, string) {
	v := Value{Raw: unescape(raw)}
	parts := splitEscaped(raw, '|')
	if len(parts) != 1 && len(parts) != 3 {
		return v, "number or number|system|code is expected"
	}
	if wrong := v.setNumber(unescape(parts[0])); wrong != "" || len(parts) == 1 {
		return v, wrong
	}
	if system := unescape(parts[1]); system != "" {
		v.System = &system
	}
	v.Code = unescape(parts[2])
	v.canonicalize(r.units)
	return v, ""
}

// bare strips UCUM annotations, which carry no meaning: "{beats}/min" is
// "1/min", "mg{dry}" is "mg".
func bare(unit string) string {
	for {
		open := strings.IndexByte(unit, '{')
		if open < 0 {
			return unit
		}
		length := strings.IndexByte(unit[open:], '}')
		if length < 0 {
			return unit
		}
		put := ""
		if open == 0 || unit[open-1] == '/' || unit[open-1] == '.' || unit[open-1] == '(' {
			put = "1"
		}
		unit = unit[:open] + put + unit[open+length+1:]
	}
}
