package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// slicing compiles the slices of an element.
func (c *compiler) slicing(o *outline, base *r4.Element, t *r4.Type, parent string) *slicing {
	s := &slicing{rules: "open"}
	by := o.def.Get("slicing")
	if rules := by.Text("rules"); rules != "" {
		s.rules = rules
	}
	s.ordered = by.Text("ordered") == "true"
	ds := discriminators(by, o)
	for _, k := range o.slices {
		s.slices = append(s.slices, c.slice(s, k, ds, base, t, parent))
	}
	return s
}

// discriminator tells slices apart.
type discriminator struct{ kind, path string }

// discriminators reads those of a slicing, or what the element implies where
// none are given: extensions are told apart by url, choices by type.
func discriminators(by *fhir.Element, o *outline) []discriminator {
	var out []discriminator
	for d := range by.All("discriminator") {
		out = append(out, discriminator{d.Text("type"), d.Text("path")})
	}
	switch {
	case len(out) > 0:
	case o.name == "extension" || o.name == "modifierExtension":
		out = []discriminator{{"value", "url"}}
	case strings.HasSuffix(o.name, "[x]"):
		out = []discriminator{{"type", "$this"}}
	}
	return out
}

func (c *compiler) slice(in *slicing, o *outline, ds []discriminator, base *r4.Element, t *r4.Type, parent string) *slice {
	lo, hi := 0, r4.Unbounded
	if o.def != nil {
		lo, hi = limits(o.def)
	}
	s := &slice{name: o.slice, min: lo, max: hi, isOther: o.slice == "@default"}
	if own := singleType(o.def); own != nil && own.Kind != r4.Backbone && (t == nil || t.Kind != r4.Backbone) {
		t = own
	}
	n := c.element(o, base, t, parent)
	n.min, n.max = 0, r4.Unbounded // counted as a slice
	s.node = n.orNil()
	if !s.isOther {
		for _, d := range ds {
			m, ok := c.matcher(o, d, t)
			if !ok {
				in.unclear = d.kind + ":" + d.path
			}
			s.match = append(s.match, m...)
		}
		if len(ds) == 0 {
			in.unclear = o.slice
		}
	}
	if len(o.slices) > 0 {
		s.reslices = c.slicing(o, base, t, parent)
	}
	return s
}

// slices puts elements into slices, checks the counts and the elements.
func (r *run) slices(elements []step, s *slicing, id string) {
	if s.unclear != "" {
		r.warn(fhir.NotSupported, "slicing-unclear", fhir.Messagef(
			"The slices of %s were not checked: the discriminator %s says nothing about them",
			"%s のスライスは検査していません。判別子 %s では区別できません", id, s.unclear))
		return
	}
	counts := make([]int, len(s.slices))
	groups := make([][]step, len(s.slices))
	last, rest := -1, false
	for _, e := range elements {
		at := r.sliceOf(e.e, s)
		if at < 0 {
			r.unsliced(e, s, id)
			rest = true
			continue
		}
		if s.ordered && at < last || s.rules == "openAtEnd" && rest {
			r.push(e.e, e.index)
			r.fail(fhir.Structure, "slice-order", fhir.Messagef(
				"An element of slice %s:%s stands in the wrong place", "スライス %s:%s の要素の位置が正しくありません", id, s.slices[at].name))
			r.pop()
		}
		last = max(last, at)
		counts[at]++
		groups[at] = append(groups[at], e)
	}
	r.sliceCounts(counts, s, id)
	for i, k := range s.slices {
		r.inSlice(groups[i], k, id)
	}
}

// sliceOf returns the position of the slice an element belongs to, -1 for none.
func (r *run) sliceOf(e *fhir.Element, s *slicing) int {
	other := -1
	for i, k := range s.slices {
		if k.isOther {
			other = i
		} else if r.matches(e, k.match) {
			return i
		}
	}
	return other
}

func (r *run) unsliced(e step, s *slicing, id string) {
	if s.rules == "closed" {
		r.push(e.e, e.index)
		r.fail(fhir.Structure, "slice-closed", fhir.Messagef(
			"The element is in no slice of %s, and no others are allowed", "%s のどのスライスにも当たらない要素は許されません", id))
		r.pop()
	}
}

func (r *run) sliceCounts(counts []int, s *slicing, id string) {
	for i, k := range s.slices {
		if counts[i] < k.min {
			r.fail(fhir.Required, "slice-min", fhir.Messagef(
				"Slice %s:%s needs at least %d element(s) but has %d", "スライス %s:%s は %d 個以上必要ですが %d 個です", id, k.name, k.min, counts[i]))
		}
		if k.max != r4.Unbounded && counts[i] > k.max {
			r.fail(fhir.Structure, "slice-max", fhir.Messagef(
				"Slice %s:%s allows at most %d element(s) but has %d", "スライス %s:%s は %d 個までですが %d 個あります", id, k.name, k.max, counts[i]))
		}
	}
}

// inSlice checks the elements of a slice against it and its own slices.
func (r *run) inSlice(elements []step, k *slice, id string) {
	if k.node != nil {
		for _, e := range elements {
			r.push(e.e, e.index)
			r.element(e.e, k.node)
			r.pop()
		}
	}
	if k.reslices != nil {
		r.slices(elements, k.reslices, id+":"+k.name)
	}
}
