package embedded

import (
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// typeScan yields the visible versions of one type that meet all nodes,
// newest first. It is the plan of a search:
//
//   - If some condition is met by few versions, these are walked and the rest
//     is tested on their keys.
//   - Otherwise the lists of the conditions leap over each other, and what is
//     no list is tested on keys, until testing has turned out to reject too
//     much: then the set is fetched from the index, if it is not too large.
type typeScan struct {
	v        *view
	typ      string
	must     *mustFilter
	cursors  []cursor
	tests    []node
	at       doc
	done     bool
	rejected int
	harden   int // at so many, tests are made sets where that costs no more
	cand     candidate
}

func (v *view) openScan(typ string, nodes []node, must search.Must, from doc) (*typeScan, error) {
	s := &typeScan{v: v, typ: typ, must: v.mustOf(must, typ), at: from, harden: v.e.opts.plan.harden}
	nodes, possible := narrow(typ, nodes)
	if !possible || s.must.nothing() {
		s.done = true
		return s, nil
	}
	few, err := s.startFromFew(nodes)
	if err == nil && !few {
		err = s.startFromLists(nodes)
	}
	return s, err
}

// startFromFew looks for a condition that few versions meet.
func (s *typeScan) startFromFew(nodes []node) (bool, error) {
	visible, narrow := s.must.lists()
	limits := s.v.e.opts.plan.probes
	if len(nodes) == 1 && !narrow {
		limits = limits[len(limits)-1:] // nothing to compare with
	}
	for _, limit := range limits {
		for i, n := range nodes {
			found, complete, err := n.probe(s.v, s.typ, limit)
			if err != nil {
				return false, err
			}
			if complete {
				s.cursors = []cursor{&setCursor{set: found}}
				s.tests = slices.Concat(nodes[:i], nodes[i+1:])
				s.v.explain(s.typ, "start from the %d versions of condition %d, test the others on keys", len(found), i+1)
				return true, nil
			}
		}
		if !narrow {
			continue
		}
		found, complete, err := s.v.probeLists(visible, limit)
		if err != nil {
			return false, err
		}
		if complete {
			s.cursors = []cursor{&setCursor{set: found}}
			s.tests = slices.Clone(nodes)
			s.v.explain(s.typ, "start from the %d versions the caller may see, test all on keys", len(found))
			return true, nil
		}
	}
	return false, nil
}

// startFromLists opens every list there is for the conditions.
func (s *typeScan) startFromLists(nodes []node) error {
	for i, n := range nodes {
		c, exact, err := n.open(s.v, s.typ)
		if err != nil {
			return err
		}
		if c != nil {
			s.cursors = append(s.cursors, c)
			s.v.explain(s.typ, "walk the list of condition %d", i+1)
		}
		if c == nil || !exact {
			s.tests = append(s.tests, n)
			s.v.explain(s.typ, "test condition %d on keys", i+1)
		}
	}
	if visible, narrow := s.must.lists(); narrow && len(visible) <= s.v.e.opts.plan.union {
		c, err := s.v.openLists(visible)
		if err != nil {
			return err
		}
		s.cursors = append(s.cursors, c)
		s.v.explain(s.typ, "walk the lists the caller may see")
	}
	if len(s.cursors) > 0 {
		return nil
	}
	c, err := s.v.openList(listKey(s.typ, listAll, nil))
	s.cursors = []cursor{c}
	s.v.explain(s.typ, "walk the list of all resources")
	return err
}

// next returns the next match, nil at the end. It is good until the next call.
func (s *typeScan) next() (*candidate, error) {
	for !s.done {
		if err := s.v.tick(); err != nil {
			return nil, err
		}
		p, ok := s.leap()
		if !ok {
			break
		}
		s.step(p.doc)
		visible, err := s.must.allows(p.doc, p.labels)
		if err != nil {
			return nil, err
		}
		if !visible {
			continue
		}
		s.cand = candidate{v: s.v, typ: s.typ, posting: p}
		ok, err = s.cand.meets(s.tests)
		if err != nil {
			return nil, err
		}
		if ok {
			return &s.cand, nil
		}
		if s.rejected++; s.rejected == s.harden {
			if err := s.toSets(); err != nil {
				return nil, err
			}
			s.harden *= 4
		}
	}
	s.done = true
	return nil, s.v.err
}

// step goes behind a version.
func (s *typeScan) step(d doc) {
	if d == 0 {
		s.done = true
		return
	}
	s.at = d - 1
}

// leap finds the next version all cursors agree on.
func (s *typeScan) leap() (posting, bool) {
	for i := 0; ; {
		p, ok := s.cursors[i].seek(s.at)
		if !ok {
			return p, false
		}
		if p.doc < s.at {
			s.at = p.doc
			if i > 0 {
				i = 0
				continue
			}
		}
		if i++; i == len(s.cursors) {
			return p, true
		}
	}
}

// entriesForTest is how many index entries are read in about the time of a test,
// which reads the keys of a version from another place.
const entriesForTest = 16

// toSets turns tests into sets that are found in the time spent so far.
func (s *typeScan) toSets() error {
	limit := min(entriesForTest*s.rejected, s.v.e.opts.plan.set)
	var kept []node
	for _, n := range s.tests {
		inner, negated := n, false
		if not, ok := n.(notNode); ok {
			inner, negated = not.inner, true
		}
		ranges, ok := inner.(*rangesNode)
		if !ok {
			kept = append(kept, n)
			continue
		}
		set, complete, err := ranges.probe(s.v, s.typ, limit)
		switch {
		case err != nil:
			return err
		case !complete:
			kept = append(kept, n)
			continue
		case negated:
			kept = append(kept, notNode{&setNode{byType: map[string][]posting{s.typ: set}}})
		default:
			s.cursors = append(s.cursors, &setCursor{set: set})
		}
		s.v.explain(s.typ, "many rejected: fetched a set of %d", len(set))
	}
	s.tests = kept
	return nil
}

// probeLists is rangesNode.probe for lists.
func (v *view) probeLists(lists [][]byte, limit int) ([]posting, bool, error) {
	w, err := v.walker()
	if err != nil {
		return nil, false, err
	}
	var found []posting
	for _, list := range lists {
		for ok := w.seek(list, after(list)); ok; ok = w.next() {
			if limit--; limit < 0 {
				return nil, false, nil
			}
			if v.visible(w.cur) {
				found = append(found, w.cur)
			}
		}
	}
	return sortPostings(found), true, w.err
}

func hasPrefix(key, prefix []byte) bool {
	return len(key) >= len(prefix) && string(key[:len(prefix)]) == string(prefix)
}

// trace collects what a plan does, for Explain.
type trace struct{ lines []string }

func (v *view) explain(typ, format string, args ...any) {
	if v.trace != nil {
		v.trace.lines = append(v.trace.lines, typ+": "+fmt.Sprintf(format, args...))
	}
}
