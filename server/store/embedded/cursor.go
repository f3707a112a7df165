package embedded

import "slices"

// cursor walks current versions, newest first.
type cursor interface {
	// seek returns the newest posting not newer than d. d never grows.
	seek(d doc) (posting, bool)
}

// listCursor walks one list of the index.
type listCursor struct {
	v       *view
	w       walker // bounded to the list
	list    []byte
	ok      bool
	started bool
}

func (v *view) openList(list []byte) (*listCursor, error) {
	it, err := v.newIter(list)
	if err != nil {
		return nil, err
	}
	return &listCursor{v: v, w: walker{it: it}, list: list}, nil
}

func (c *listCursor) seek(d doc) (posting, bool) {
	if c.started {
		for range c.v.e.opts.plan.nearSteps {
			if !c.ok || c.w.cur.doc <= d {
				return c.w.cur, c.ok
			}
			c.w.skip(d)
			c.settle(c.w.next())
		}
		if !c.ok || c.w.cur.doc <= d {
			return c.w.cur, c.ok
		}
	}
	c.started = true
	c.settle(c.w.seekDoc(c.list, nil, d))
	return c.w.cur, c.ok
}

// settle goes on to the next visible entry.
func (c *listCursor) settle(ok bool) {
	for ok && !c.v.visible(c.w.cur) {
		ok = c.w.next()
	}
	c.v.note(c.w.err)
	c.ok = ok
}

// setCursor walks postings found before.
type setCursor struct{ set []posting }

func (c *setCursor) seek(d doc) (posting, bool) {
	n := min(len(c.set), 4)
	for range n {
		if c.set[0].doc <= d {
			return c.set[0], true
		}
		c.set = c.set[1:]
	}
	i, _ := slices.BinarySearchFunc(c.set, d, newestFirst)
	c.set = c.set[i:]
	if len(c.set) == 0 {
		return posting{}, false
	}
	return c.set[0], true
}

func newestFirst(p posting, d doc) int {
	switch {
	case p.doc > d:
		return -1
	case p.doc < d:
		return 1
	}
	return 0
}

// unionCursor walks several cursors as one.
type unionCursor struct{ parts []cursor }

func (c *unionCursor) seek(d doc) (posting, bool) {
	var best posting
	found := false
	for _, part := range c.parts {
		if p, ok := part.seek(d); ok && (!found || p.doc > best.doc) {
			best, found = p, true
		}
	}
	return best, found
}

// sortPostings orders postings newest first, without repetition; set is used up.
// What was read from a few lists is as many runs in that order, which are merged
// two by two.
func sortPostings(set []posting) []posting {
	ends := make([]int, 0, 64) // of the runs
	for i := 1; i < len(set); i++ {
		if set[i].doc > set[i-1].doc {
			ends = append(ends, i)
		}
	}
	if len(ends) > 0 {
		ends = append(ends, len(set))
		other := make([]posting, len(set))
		for len(ends) > 1 {
			start, merged := 0, ends[:0]
			for i := 0; i < len(ends); i += 2 {
				middle, end := ends[i], ends[min(i+1, len(ends)-1)]
				mergePostings(other[start:end], set[start:middle], set[middle:end])
				start, merged = end, append(merged, end)
			}
			set, other, ends = other, set, merged
		}
	}
	return slices.CompactFunc(set, func(a, b posting) bool { return a.doc == b.doc })
}

// mergePostings fills out with two runs.
func mergePostings(out, a, b []posting) {
	for i := range out {
		if len(b) == 0 || len(a) > 0 && a[0].doc >= b[0].doc {
			out[i], a = a[0], a[1:]
		} else {
			out[i], b = b[0], b[1:]
		}
	}
}
