package embedded

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Report is what Check found.
type Report struct {
	Resources int64 `json:"resources"`
	Versions  int64 `json:"versions"`
	Entries   int64 `json:"entries"`
	// Problems describe what is wrong, the first maxProblems; Found counts
	// all. They name resources by type and id, and no content.
	Problems []string `json:"problems,omitempty"`
	Found    int64    `json:"found"`
}

const maxProblems = 100

// Clean says that nothing is wrong.
func (r Report) Clean() bool { return r.Found == 0 }

// Check reads the whole store as it is at this moment and compares everything
// that is kept twice: pointers, history and index against the versions, and the
// other way. keys, where not nil, computes the index keys of a version anew;
// current versions are compared with it. Others may read and write meanwhile.
func (e *Engine) Check(ctx context.Context, keys func(store.Version) ([][]byte, error)) (Report, error) {
	if err := e.begin(ctx); err != nil {
		return Report{}, err
	}
	defer e.end()
	e.write.Lock()
	v, want := e.viewAt(ctx, e.last.seq), e.last
	e.write.Unlock()
	c := &checker{view: v, keys: keys}
	err := c.run(want)
	v.close()
	if err == nil {
		err = v.err
	}
	return c.report, err
}

type checker struct {
	*view
	keys     func(store.Version) ([][]byte, error)
	report   Report
	expected int64     // index entries there should be
	key      []byte    // of the group read last
	group    []posting // its members
}

func (c *checker) problem(format string, args ...any) {
	if c.report.Found++; c.report.Found <= maxProblems {
		c.report.Problems = append(c.report.Problems, fmt.Sprintf(format, args...))
	}
}

func (c *checker) run(want state) error {
	for _, pass := range []struct {
		space byte
		check func(key, value []byte) error
	}{{spaceVersion, c.version}, {spaceCurrent, c.current}, {spaceHistory, c.history}, {spaceType, c.event}, {spaceTerms, c.terms}, {spaceIndex, c.count}} {
		if err := c.each(pass.space, pass.check); err != nil {
			return err
		}
	}
	if c.report.Entries != c.expected || !c.report.Clean() {
		if err := c.each(spaceIndex, c.entry); err != nil {
			return err
		}
	}
	if c.report.Entries != c.expected {
		c.problem("the index has %d entries, there should be %d", c.report.Entries, c.expected)
	}
	if c.report.Resources != want.resources || c.report.Versions != want.versions {
		c.problem("counted %d resources and %d versions, the store says %d and %d", c.report.Resources, c.report.Versions, want.resources, want.versions)
	}
	return nil
}

// each walks one space.
func (c *checker) each(space byte, f func(key, value []byte) error) error {
	it, err := c.newIter([]byte{space})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if err := f(it.Key(), value); err != nil {
			return err
		}
		if err := c.tick(); err != nil {
			return err
		}
	}
	return it.Error()
}

// get reads a record that should be there.
func (c *checker) get(key []byte) ([]byte, bool, error) { return c.e.get(c.snap, key) }

// version checks one version and everything made of it.
func (c *checker) version(key, value []byte) error {
	d := doc(^uint64(docAtEnd(key)))
	s, err := decodeVersion(d, value)
	if err != nil {
		c.problem("version %x: unreadable", key)
		return nil
	}
	c.report.Versions++
	if s.Labels, err = c.e.labels.get(s.labels); err != nil {
		c.problem("%s version %d: its labels are missing", s.Key, s.Version.Version)
		return nil
	}
	p := pointer{doc: d, version: s.Version.Version, method: s.Method, labels: s.labels, millis: s.Time.UnixMilli()}
	if raw, ok, err := c.get(historyKey(s.Type, s.ID, p.version)); err != nil {
		return err
	} else if !ok || !bytes.Equal(raw, p.encode()) {
		c.problem("%s version %d: its history is wrong", s.Key, p.version)
	}
	next, superseded, err := c.next(s.Key, p.version)
	if err != nil {
		return err
	}
	ev := event{labels: p.labels, millis: p.millis}
	if superseded {
		ev.endMillis, ev.endSeq = next.millis, next.doc.seq()
	}
	if raw, ok, err := c.get(typeKey(s.Type, d)); err != nil {
		return err
	} else if !ok || !bytes.Equal(raw, ev.encode()) {
		c.problem("%s version %d: the history of its type is wrong", s.Key, p.version)
	}
	if !p.live() {
		return nil
	}
	return c.indexOf(&s, p, ev.endSeq)
}

// next finds the version after this one.
func (c *checker) next(key store.Key, version uint64) (pointer, bool, error) {
	raw, ok, err := c.get(historyKey(key.Type, key.ID, version+1))
	if err != nil || !ok {
		return pointer{}, false, err
	}
	p, err := decodePointer(raw)
	return p, err == nil, err
}

// indexOf checks the index entries of a version that is no deletion.
func (c *checker) indexOf(s *stored, p pointer, end uint64) error {
	raw, ok, err := c.get(termsKey(p.doc))
	if err != nil {
		return err
	}
	if !ok {
		if _, kept, err := c.get(endedKey(end, p.doc)); err != nil {
			return err
		} else if end == 0 || kept {
			c.problem("%s version %d: it is not in the index", s.Key, p.version)
		}
		return nil
	}
	r, err := decodeRow(raw, nil)
	if err != nil || r.id != s.ID {
		c.problem("%s version %d: its list of keys is wrong", s.Key, p.version)
		return nil
	}
	s.Keys = r.keys
	if end == 0 {
		c.report.Resources++
		if err := c.recompute(s); err != nil {
			return err
		}
	} else if _, kept, err := c.get(endedKey(end, p.doc)); err != nil {
		return err
	} else if !kept {
		c.problem("%s version %d: its index entries will never be dropped", s.Key, p.version)
	}
	value := appendPosting(nil, p.labels, end)
	return c.e.eachEntry(s.Type, &s.Version, p.doc, func(key, head []byte) error {
		c.expected++
		raw, ok, err := c.get(key)
		right := ok && bytes.Equal(raw, slices.Concat(head, value))
		if err == nil && !ok && head == nil && end == 0 {
			right, err = c.inGroup(key[:len(key)-docBytes], posting{doc: p.doc, labels: p.labels})
		}
		if err == nil && !right {
			c.problem("%s version %d: an index entry is wrong or missing", s.Key, p.version)
		}
		return err
	})
}

// inGroup tells whether the group of a transaction in a list has this member.
func (c *checker) inGroup(list []byte, p posting) (bool, error) {
	c.key = appendNewestFirst(append(c.key[:0], list...), groupOf(p.doc.seq()))
	raw, ok, err := c.get(c.key)
	if err != nil || !ok {
		return false, err
	}
	if c.group, err = readGroup(c.group[:0], docAtEnd(c.key), raw); err != nil {
		return false, nil
	}
	return slices.Contains(c.group, p), nil
}

func (c *checker) recompute(s *stored) error {
	if c.keys == nil {
		return nil
	}
	keys, err := c.keys(s.Version)
	if err != nil {
		c.problem("%s version %d: its keys cannot be computed", s.Key, s.Version.Version)
		return nil
	}
	if !slices.EqualFunc(sortedKeys(keys), s.Keys, bytes.Equal) {
		c.problem("%s version %d: its keys are not those of its content", s.Key, s.Version.Version)
	}
	return nil
}

// current checks that a pointer names the newest version.
func (c *checker) current(key, value []byte) error {
	typ, id := cutKey(key)
	p, err := decodePointer(value)
	if err != nil {
		c.problem("%s/%s: its pointer is unreadable", typ, id)
		return nil
	}
	raw, ok, err := c.get(historyKey(typ, id, p.version))
	if err != nil {
		return err
	}
	_, more, err := c.next(store.Key{Type: typ, ID: id}, p.version)
	if !ok || !bytes.Equal(raw, value) || more {
		c.problem("%s/%s: the current version is not the newest", typ, id)
	}
	return err
}

// cutKey takes type and the rest apart.
func cutKey(key []byte) (typ, rest string) {
	a, b, _ := bytes.Cut(key[1:], []byte{0})
	return string(a), string(b)
}

// exists checks that a record belongs to a version of this type.
func (c *checker) exists(what string, typ string, d doc) error {
	raw, ok, err := c.get(versionKey(d))
	if err != nil {
		return err
	}
	if s, err := decodeVersion(d, raw); !ok || err != nil || typ != "" && s.Type != typ {
		c.problem("%s of version %d.%d: there is no such version", what, d.seq(), uint64(d)&maxRank)
	}
	return nil
}

func (c *checker) history(key, value []byte) error {
	typ, rest := cutKey(key)
	p, err := decodePointer(value)
	if err != nil {
		c.problem("history of %s: an entry is unreadable", typ)
		return nil
	}
	if len(rest) <= docBytes {
		c.problem("history of %s: an entry is misplaced", typ)
		return nil
	}
	id := rest[:len(rest)-docBytes-1]
	if raw, ok, err := c.get(currentKey(typ, id)); err != nil {
		return err
	} else if newest, derr := decodePointer(raw); !ok || derr != nil || newest.version < p.version {
		c.problem("%s/%s: it has no current version", typ, id)
	}
	return c.exists("history", typ, p.doc)
}

func (c *checker) event(key, _ []byte) error {
	typ, _ := cutKey(key)
	return c.exists("history of a type", typ, docAtEnd(key))
}

func (c *checker) terms(key, _ []byte) error { return c.exists("the list of keys", "", docAtEnd(key)) }

// count counts an index entry, one for each member of a group. The entries that
// versions should have were looked up before: where the index has no more than
// these, each belongs to a version.
func (c *checker) count(key, value []byte) error {
	d := docAtEnd(key)
	if d.isGroup() {
		c.key = append(c.key[:0], key...)
		c.group, _ = readGroup(c.group[:0], d, value) // told before
		c.report.Entries += int64(len(c.group))
		return nil
	}
	if !c.counted(key, d) {
		c.report.Entries++
	}
	return nil
}

// counted tells whether the version of an entry of its own is in the group before
// it.
func (c *checker) counted(key []byte, d doc) bool {
	n := len(key) - docBytes
	return len(c.key) == len(key) && bytes.Equal(c.key[:n], key[:n]) &&
		slices.ContainsFunc(c.group, func(p posting) bool { return p.doc == d })
}

// entry checks that an index entry belongs to versions that have its term. It
// reads and takes apart all keys of a version for each of its entries, and is
// called only where something is known to be wrong.
func (c *checker) entry(key, value []byte) error {
	d := docAtEnd(key)
	if !d.isGroup() {
		return c.member(key[:len(key)-docBytes], d)
	}
	members, err := readGroup(nil, d, value)
	if err != nil || len(members) == 0 {
		typ, _ := cutKey(key)
		c.problem("an index entry of %s is unreadable", typ)
	}
	for _, p := range members {
		if err := c.member(key[:len(key)-docBytes], p.doc); err != nil {
			return err
		}
	}
	return nil
}

// member checks one version of a list.
func (c *checker) member(list []byte, d doc) error {
	typ, _ := cutKey(list)
	raw, ok, err := c.get(termsKey(d))
	if err != nil {
		return err
	}
	if !ok {
		c.problem("an index entry of %s belongs to no version", typ)
		return nil
	}
	r, err := decodeRow(raw, nil)
	if err != nil {
		return nil // told before
	}
	if head := len(typ) + 2; list[head] == listTerm {
		term := termOf(nil, list[head+1:len(list)-2])
		if _, found := slices.BinarySearchFunc(r.keys, term, bytes.Compare); !found {
			c.problem("an index entry of %s/%s has a key that it does not have", typ, r.id)
		}
	}
	return nil
}
