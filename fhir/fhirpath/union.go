package fhirpath

// union is |: the items of both sides, without duplicates.
// https://hl7.org/fhirpath/N1/#union-collections
type union struct{ left, right node }

func (n *union) eval(ev *evaluation, dst Collection) (Collection, error) {
	items, err := ev.collect(n.left)
	defer func() { ev.release(items) }()
	if err != nil {
		return dst, err
	}
	if items, err = n.right.eval(ev, items); err != nil {
		return dst, err
	}
	return appendDistinct(ev, dst, items)
}

// appendDistinct appends the items that are equal to none before them.
func appendDistinct(ev *evaluation, dst, items Collection) (Collection, error) {
	start := len(dst)
	var seen textSet
	for _, v := range items {
		if s, ok := text(v); ok {
			if !seen.add(s, len(items)) {
				continue
			}
			if len(items) >= manyTexts {
				dst = append(dst, v)
				continue
			}
		}
		if err := ev.step(len(dst) - start); err != nil {
			return dst, err
		}
		if !holds(dst[start:], v) {
			dst = append(dst, v)
		}
	}
	return dst, nil
}

// manyTexts is how many items make a set worth its while.
const manyTexts = 16

// textSet finds duplicate strings among many items.
type textSet map[string]struct{}

// add reports whether s is new, or may be: a set is kept only for many items.
func (t *textSet) add(s string, of int) bool {
	if of < manyTexts {
		return true
	}
	if *t == nil {
		*t = make(textSet, of)
	}
	if _, ok := (*t)[s]; ok {
		return false
	}
	(*t)[s] = struct{}{}
	return true
}
