package fhirpath

import "slices"

// Subsetting and combining: https://hl7.org/fhirpath/N1/#subsetting
// https://hl7.org/fhirpath/N1/#combining

func single(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	if _, err := c.one(in); err != nil {
		return dst, err
	}
	return append(dst, in...), nil
}

func first(_ *evaluation, _ *call, in, dst Collection) (Collection, error) {
	return append(dst, in[:min(1, len(in))]...), nil
}

func last(_ *evaluation, _ *call, in, dst Collection) (Collection, error) {
	return append(dst, in[max(0, len(in)-1):]...), nil
}

func tail(_ *evaluation, _ *call, in, dst Collection) (Collection, error) {
	return append(dst, in[min(1, len(in)):]...), nil
}

func skip(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	n, ok, err := ev.argInteger(c, 0)
	if err != nil || !ok {
		return dst, err
	}
	return append(dst, in[min(max(0, int(n)), len(in)):]...), nil
}

func take(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	n, ok, err := ev.argInteger(c, 0)
	if err != nil || !ok {
		return dst, err
	}
	return append(dst, in[:min(max(0, int(n)), len(in))]...), nil
}

func intersect(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	other, err := ev.collect(c.args[0])
	defer ev.release(other)
	if err != nil {
		return dst, err
	}
	both, err := pick(ev, in, other, true, ev.scratch())
	defer ev.release(both)
	if err != nil {
		return dst, err
	}
	return appendDistinct(ev, dst, both)
}

func exclude(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	other, err := ev.collect(c.args[0])
	defer ev.release(other)
	if err != nil {
		return dst, err
	}
	return pick(ev, in, other, false, dst)
}

// pick appends the items that are, or are not, among the others.
func pick(ev *evaluation, items, others Collection, among bool, dst Collection) (Collection, error) {
	for _, v := range items {
		if err := ev.step(len(others)); err != nil {
			return dst, err
		}
		if holds(others, v) == among {
			dst = append(dst, v)
		}
	}
	return dst, nil
}

func makeUnion(c *call) (node, error) { return &union{c.input, c.args[0]}, nil }

func combine(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	return c.args[0].eval(ev, append(dst, in...))
}

// sortItems orders by keys; a key with a minus before it orders downwards.
// Items without a key come first.
// https://build.fhir.org/ig/HL7/FHIRPath/#sortkeyselector--asc--desc---collection
func sortItems(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	keys := c.args
	if len(keys) == 0 {
		keys = []node{this{}}
	}
	rows, err := sortRows(ev, keys, in)
	if err != nil {
		return dst, err
	}
	slices.SortStableFunc(rows, func(a, b sortRow) int {
		for i, key := range keys {
			order, ok := compareKeys(a.keys[i], b.keys[i])
			if !ok {
				err = fault("sort cannot order the keys", "sort の並べ替えキーを比べられません")
			}
			if order != 0 {
				if downwards(key) && a.keys[i] != nil && b.keys[i] != nil {
					return -order
				}
				return order
			}
		}
		return 0
	})
	for _, r := range rows {
		dst = append(dst, r.item)
	}
	return dst, err
}

type sortRow struct {
	item Value
	keys []Value
}

func sortRows(ev *evaluation, keys []node, in Collection) ([]sortRow, error) {
	rows := make([]sortRow, 0, len(in))
	err := ev.each(in, func(v Value) (bool, error) {
		row := sortRow{item: v}
		for _, key := range keys {
			if p, ok := key.(*polarity); ok && p.negative {
				key = p.of
			}
			k, err := ev.single(key, "sort")
			if err != nil {
				return false, err
			}
			row.keys = append(row.keys, k)
		}
		rows = append(rows, row)
		return true, nil
	})
	return rows, err
}

func downwards(key node) bool {
	p, ok := key.(*polarity)
	return ok && p.negative
}

func compareKeys(a, b Value) (order int, ok bool) {
	switch {
	case a == nil && b == nil:
		return 0, true
	case a == nil:
		return -1, true
	case b == nil:
		return 1, true
	}
	order, _, ok = compare(a, b)
	return order, ok
}
