package embedded

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// mustFilter evaluates the mandatory predicate on index entries of one type.
// The verdict depends on the entry's label set alone and is remembered for the
// query, except for grants of a single resource, which are looked up at once.
type mustFilter struct {
	v     *view
	typ   string
	must  search.Must // without grants by id
	memo  map[uint64]bool
	last  uint64 // memo of the last label set asked for
	lastV bool
	byID  []idGrant
}

// idGrant is a grant narrowed to one resource of the type.
type idGrant struct {
	doc   doc
	id    string
	grant search.Grant
}

func newMustFilter(v *view, m search.Must, typ string) *mustFilter {
	f := &mustFilter{v: v, typ: typ, must: search.Must{Unrestricted: m.Unrestricted}}
	if m.Unrestricted {
		return f
	}
	f.memo = map[uint64]bool{}
	for _, g := range m.Any {
		if len(g.Types) > 0 && !slices.Contains(g.Types, typ) {
			continue
		}
		if g.ID == "" {
			f.must.Any = append(f.must.Any, g)
			continue
		}
		if id, ok := idOfType(g.ID, typ); ok {
			f.addID(id, g)
		}
	}
	return f
}

func idOfType(ref, typ string) (string, bool) {
	if len(ref) > len(typ)+1 && ref[:len(typ)] == typ && ref[len(typ)] == '/' {
		return ref[len(typ)+1:], true
	}
	return "", false
}

func (f *mustFilter) addID(id string, g search.Grant) {
	p, ok, err := f.v.e.pointerAt(f.v.snap, store.Key{Type: f.typ, ID: id}, f.v.seq)
	f.v.note(err)
	if err == nil && ok {
		f.byID = append(f.byID, idGrant{doc: p.doc, id: id, grant: g})
	}
}

// nothing says that no resource of the type can be visible.
func (f *mustFilter) nothing() bool {
	return !f.must.Unrestricted && len(f.must.Any) == 0 && len(f.byID) == 0
}

// allows judges a version by its number and label set.
func (f *mustFilter) allows(d doc, labels uint64) (bool, error) {
	if f.must.Unrestricted {
		return true, nil
	}
	ok, err := f.byLabels(labels)
	if ok || err != nil || len(f.byID) == 0 {
		return ok, err
	}
	l, err := f.v.e.labels.get(labels)
	if err != nil {
		return false, err
	}
	for _, g := range f.byID {
		if g.doc != d {
			continue
		}
		one := search.Must{Any: []search.Grant{g.grant}}
		if one.Allows(f.typ, g.id, l) {
			return true, nil
		}
	}
	return false, nil
}

// allowsEvent judges a version of any age; grants of a single resource cover
// all its versions.
func (f *mustFilter) allowsEvent(ev event) (bool, error) {
	if f.must.Unrestricted {
		return true, nil
	}
	ok, err := f.byLabels(ev.labels)
	if ok || err != nil || len(f.byID) == 0 {
		return ok, err
	}
	version, err := f.v.e.version(f.v.snap, ev.doc)
	if err != nil {
		return false, err
	}
	for _, g := range f.byID {
		one := search.Must{Any: []search.Grant{g.grant}}
		if one.Allows(f.typ, version.ID, version.Labels) {
			return true, nil
		}
	}
	return false, nil
}

func (f *mustFilter) byLabels(no uint64) (bool, error) {
	if len(f.must.Any) == 0 {
		return false, nil
	}
	if no == f.last && no != 0 {
		return f.lastV, nil
	}
	ok, known := f.memo[no]
	if !known {
		l, err := f.v.e.labels.get(no)
		if err != nil {
			return false, err
		}
		ok = f.must.Allows(f.typ, "", l)
		f.memo[no] = ok
	}
	f.last, f.lastV = no, ok
	return ok, nil
}

// lists returns label lists that together hold everything visible, where the
// predicate is narrow enough for that; ok is false where it is not.
func (f *mustFilter) lists() (prefixes [][]byte, ok bool) {
	if f.must.Unrestricted || len(f.byID) > 0 {
		return nil, false
	}
	most := f.v.e.opts.plan.driving
	for _, g := range f.must.Any {
		switch {
		case g.Patients != nil && g.Patients.Len() <= most:
			for _, p := range g.Patients.IDs() {
				prefixes = append(prefixes, listKey(f.typ, listPatient, []byte(p)))
			}
		case len(g.Authors) > 0 && len(g.Authors) <= most:
			for _, a := range g.Authors {
				if a == "" {
					return nil, false // records without author are in no list
				}
				prefixes = append(prefixes, listKey(f.typ, listAuthor, []byte(a)))
			}
		default:
			return nil, false
		}
	}
	slices.SortFunc(prefixes, slices.Compare)
	prefixes = slices.CompactFunc(prefixes, slices.Equal)
	return prefixes, len(prefixes) <= most
}
