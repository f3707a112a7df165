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

// sortPostings orders postings newest first, without repetition.
func sortPostings(set []posting) []posting {
	slices.SortFunc(set, func(a, b posting) int { return newestFirst(a, b.doc) })
	return slices.CompactFunc(set, func(a, b posting) bool { return a.doc == b.doc })
}
