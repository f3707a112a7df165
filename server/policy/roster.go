package policy

import (
	"slices"
	"sync"
)

// roster is a set of patients that changes over time and hands out immutable
// snapshots cheaply: a large sorted base and a small difference to it. The
// difference is folded into the base when it outgrows the square root of it, so
// that n changes with a snapshot after each cost about n^1.5, not n².
type roster struct {
	base *patientBase
	diff map[string]bool // true: added to the base, false: taken away
	size int
	snap *patientSet // nil when something changed since
}

type patientBase struct {
	ids []string // sorted
	has map[string]struct{}
}

var emptyBase = &patientBase{}

func newRoster() *roster { return &roster{base: emptyBase, diff: map[string]bool{}} }

func (r *roster) contains(id string) bool {
	if in, changed := r.diff[id]; changed {
		return in
	}
	_, in := r.base.has[id]
	return in
}

// set puts a patient in or out.
func (r *roster) set(id string, in bool) {
	if r.contains(id) == in {
		return
	}
	r.snap = nil
	if in {
		r.size++
	} else {
		r.size--
	}
	if _, based := r.base.has[id]; based == in {
		delete(r.diff, id)
		return
	}
	r.diff[id] = in
}

// snapshot returns the set as it is now. It shares nothing that changes.
func (r *roster) snapshot() *patientSet {
	if r.snap != nil {
		return r.snap
	}
	if n := len(r.diff); n > 64 && n*n > len(r.base.ids) {
		r.fold()
	}
	diff := make(map[string]bool, len(r.diff))
	for id, in := range r.diff {
		diff[id] = in
	}
	r.snap = &patientSet{base: r.base, diff: diff, size: r.size}
	return r.snap
}

func (r *roster) fold() {
	ids := merged(r.base, r.diff)
	has := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		has[id] = struct{}{}
	}
	r.base, r.diff = &patientBase{ids, has}, map[string]bool{}
}

// merged returns the sorted ids of a base with a difference.
func merged(base *patientBase, diff map[string]bool) []string {
	ids := make([]string, 0, len(base.ids)+len(diff))
	for _, id := range base.ids {
		if in, changed := diff[id]; !changed || in {
			ids = append(ids, id)
		}
	}
	for id, in := range diff {
		if _, based := base.has[id]; in && !based {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// patientSet is an immutable search.Patients.
type patientSet struct {
	base *patientBase
	diff map[string]bool
	size int
	once sync.Once
	ids  []string
}

// Contains reports whether a patient is in the set.
func (s *patientSet) Contains(id string) bool {
	if len(s.diff) > 0 {
		if in, changed := s.diff[id]; changed {
			return in
		}
	}
	_, in := s.base.has[id]
	return in
}

// Len returns the number of patients.
func (s *patientSet) Len() int { return s.size }

// IDs returns the patients, sorted. The slice must not be changed.
func (s *patientSet) IDs() []string {
	s.once.Do(func() {
		s.ids = s.base.ids
		if len(s.diff) > 0 {
			s.ids = merged(s.base, s.diff)
		}
	})
	return s.ids
}

// onePatient is the set of a single patient.
type onePatient string

func (p onePatient) Contains(id string) bool { return id == string(p) }
func (p onePatient) Len() int                { return 1 }
func (p onePatient) IDs() []string           { return []string{string(p)} }
