package search

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// numberItem is one number found in a resource, or the closed range of a
// Range; low and high are the same for a plain number.
// https://hl7.org/fhir/R4/search.html#number
type numberItem struct{ low, high decimal }

func (x *extraction) numbers(dst []numberItem, e *fhir.Element) []numberItem {
	switch e.Type.Name {
	case "Range":
		it := numberItem{minusInfinity, plusInfinity}
		low, okLow := parseDecimal(e.Text("low", "value"))
		high, okHigh := parseDecimal(e.Text("high", "value"))
		if okLow {
			it.low = low
		}
		if okHigh {
			it.high = high
		}
		if okLow || okHigh {
			dst = append(dst, it)
		}
		return dst
	case "Quantity", "Money", "Age", "Duration", "Count", "Distance":
		e = e.Get("value")
	}
	if e == nil || e.Kind == fhir.None {
		return dst
	}
	if d, ok := parseDecimal(e.Value); ok {
		dst = append(dst, numberItem{d, d})
	}
	return dst
}

func (it *numberItem) keys(k *keys) {
	if it.low == it.high {
		k.begin(kindNumber)
		k.buf = it.low.append(k.buf)
		k.end()
		return
	}
	k.begin(kindInterval)
	k.buf = it.high.append(it.low.append(k.buf))
	k.end()
}

// wanted is a number of a query, parsed.
type wanted struct {
	prefix           Prefix
	exact, low, high decimal
}

func (v *Value) wanted() wanted {
	w := wanted{prefix: v.Prefix}
	w.exact, _ = parseDecimal(v.Number)
	w.low, _ = parseDecimal(v.Low)
	w.high, _ = parseDecimal(v.High)
	return w
}

// matches compares as R4 defines the prefixes: eq, ne, sa, eb and ap look at
// the range of the written precision, gt, lt, ge and le at the exact number.
// https://hl7.org/fhir/R4/search.html#number
func (it *numberItem) matches(w *wanted) bool {
	within := it.low.compare(w.low) >= 0 && it.high.compare(w.high) < 0
	switch w.prefix {
	case NotEqual:
		return !within
	case Greater:
		return it.high.compare(w.exact) > 0
	case GreaterEqual:
		return it.high.compare(w.exact) >= 0
	case Less:
		return it.low.compare(w.exact) < 0
	case LessEqual:
		return it.low.compare(w.exact) <= 0
	case StartsAfter:
		return it.low.compare(w.high) >= 0
	case EndsBefore:
		return it.high.compare(w.low) < 0
	case Approximate:
		return it.low.compare(w.high) <= 0 && it.high.compare(w.low) >= 0
	}
	return within
}

// bounds returns the range of keys a plain number may have, nil for no end.
// It may be too wide at its ends; Keep decides.
func (w *wanted) bounds() (low, high []byte) {
	after := func(d decimal) []byte { return append(d.append(nil), 0xff) }
	switch w.prefix {
	case NotEqual:
		return nil, nil
	case Greater, GreaterEqual:
		return w.exact.append(nil), nil
	case Less, LessEqual:
		return nil, after(w.exact)
	case StartsAfter:
		return w.high.append(nil), nil
	case EndsBefore:
		return nil, after(w.low)
	}
	return w.low.append(nil), after(w.high)
}

// numberRanges reads plain numbers in the range that matters and, of ranges,
// all: they are few.
func numberRanges(v *Value) []Range {
	w := v.wanted()
	return []Range{
		w.plain([]byte{kindNumber}, nil),
		w.spans([]byte{kindInterval}, nil),
	}
}

// plain reads keys of a prefix followed by one number; also looks at what
// follows the number.
func (w wanted) plain(prefix []byte, also func(rest []byte) bool) Range {
	low, high := w.bounds()
	r := between(prefix, low, high)
	n := len(prefix)
	r.Keep = func(atom []byte) bool {
		d, rest := readDecimal(atom[n:])
		it := numberItem{d, d}
		return it.matches(&w) && (also == nil || also(rest))
	}
	return r
}

// spans reads keys of a prefix followed by the two ends of a range.
func (w wanted) spans(prefix []byte, also func(rest []byte) bool) Range {
	r := startingWith(prefix)
	n := len(prefix)
	r.Keep = func(atom []byte) bool {
		low, rest := readDecimal(atom[n:])
		high, rest := readDecimal(rest)
		it := numberItem{low, high}
		return it.matches(&w) && (also == nil || also(rest))
	}
	return r
}

// parseNumber reads [prefix]number.
func parseNumber(raw string) (Value, string) {
	v := Value{Raw: unescape(raw)}
	return v, v.setNumber(v.Raw)
}

// setNumber fills Prefix, Number, Low and High.
func (v *Value) setNumber(text string) string {
	v.Prefix, v.Number = cutPrefix(text)
	low, high, ok := precision(v.Number)
	if !ok {
		return "the value is not a number"
	}
	if v.Prefix == Approximate {
		d, _ := parseDecimal(v.Number)
		low, high = d.tenth()
	}
	v.Low, v.High = low.String(), high.String()
	return ""
}

// cutPrefix takes the prefix from the front of an ordered value.
func cutPrefix(s string) (Prefix, string) {
	if len(s) > 2 {
		switch p := Prefix(s[:2]); p {
		case Equal, NotEqual, Greater, Less, GreaterEqual, LessEqual, StartsAfter, EndsBefore, Approximate:
			return p, s[2:]
		}
	}
	return Equal, s
}
