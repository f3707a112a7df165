package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Naive is a store in memory that does everything the plainest way: a list of
// versions, walked for every question. It is the oracle of the engines and
// passes the kit itself. Nothing is ever on disk.
type Naive struct {
	// Terms tells how criteria become keys; nil is store.FHIRTerms.
	Terms store.Terms
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu     sync.RWMutex
	log    []naiveVersion
	seq    uint64
	time   time.Time
	follow *store.Receipt // numbers and time to take over from another engine
}

type naiveVersion struct {
	store.Version
	end     uint64 // Seq of the next version, 0 if none
	endTime time.Time
}

var _ store.Store = (*Naive)(nil)

func (n *Naive) terms() store.Terms {
	if n.Terms == nil {
		return store.FHIRTerms{}
	}
	return n.Terms
}

// current finds the version of a resource that was current at seq.
func (n *Naive) current(key store.Key, seq uint64) *naiveVersion {
	for i := len(n.log) - 1; i >= 0; i-- {
		if v := &n.log[i]; v.Key == key && v.Seq <= seq {
			return v
		}
	}
	return nil
}

// Read returns the current version.
func (n *Naive) Read(ctx context.Context, key store.Key) (store.Version, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	v := n.current(key, n.seq)
	switch {
	case v == nil:
		return store.Version{}, store.ErrNotFound
	case v.Method == store.Delete:
		return v.Version, store.ErrGone
	}
	return v.Version, ctx.Err()
}

// ReadVersion returns one version.
func (n *Naive) ReadVersion(ctx context.Context, key store.Key, version uint64) (store.Version, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, v := range n.log {
		if v.Key == key && v.Version.Version == version {
			return v.Version, ctx.Err()
		}
	}
	return store.Version{}, store.ErrNotFound
}

// Apply makes all writes or none.
func (n *Naive) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return store.Receipt{}, err
	}
	if err := n.check(tx); err != nil {
		return store.Receipt{}, err
	}
	seq, at := n.seq+1, n.clock()
	if n.follow != nil {
		seq = n.follow.Seq
	}
	var added []naiveVersion
	receipt := store.Receipt{Seq: n.seq}
	for _, w := range tx.Writes {
		v, err := n.make(w, seq, at)
		if err != nil {
			return store.Receipt{}, err
		}
		if v.Version != 0 {
			added = append(added, naiveVersion{Version: v})
			receipt.Seq = seq
		}
		receipt.Versions = append(receipt.Versions, v)
	}
	for _, v := range added {
		if old := n.current(v.Key, seq); old != nil {
			old.end, old.endTime = seq, at
		}
	}
	if len(added) > 0 {
		n.seq, n.time = seq, at
		n.log = append(n.log, added...)
	}
	return receipt, nil
}

func (n *Naive) clock() time.Time {
	if n.follow != nil && len(n.follow.Versions) > 0 {
		for _, v := range n.follow.Versions {
			if v.Version != 0 {
				return v.Time
			}
		}
	}
	now := time.Now
	if n.Now != nil {
		now = n.Now
	}
	at := now().UTC().Truncate(time.Millisecond)
	if at.Before(n.time) {
		return n.time
	}
	return at
}

func (n *Naive) check(tx store.Tx) error {
	for i, x := range tx.Expect {
		q := x.Query
		if q.Count <= 0 {
			q.Count = len(x.Keys) + 1
		}
		found, err := n.matches(q, n.seq)
		if err != nil {
			return err
		}
		var keys []store.Key
		for _, v := range found[:min(len(found), q.Count)] {
			keys = append(keys, v.Key)
		}
		slices.SortFunc(keys, compareKeys)
		if !slices.Equal(keys, x.Keys) {
			return &store.FailedPrecondition{Write: -1, Expectation: i}
		}
	}
	seen := map[store.Key]bool{}
	for i, w := range tx.Writes {
		if seen[w.Key] {
			return store.ErrConflict
		}
		seen[w.Key] = true
		live := uint64(0)
		if v := n.current(w.Key, n.seq); v != nil && v.Method != store.Delete {
			live = v.Version.Version
		}
		if w.IfVersion != nil && *w.IfVersion != live {
			return &store.FailedPrecondition{Write: i, Expectation: -1, Current: live}
		}
		if w.Method == store.Create && live != 0 {
			return store.ErrConflict
		}
	}
	return nil
}

func (n *Naive) make(w store.Write, seq uint64, at time.Time) (store.Version, error) {
	v := store.Version{Key: w.Key, Method: w.Method, Labels: w.Labels}
	old := n.current(w.Key, n.seq)
	if w.Method == store.Delete {
		if old == nil || old.Method == store.Delete {
			return store.Version{Key: w.Key, Method: w.Method}, nil
		}
		v.Labels = old.Labels
	}
	v.Seq, v.Time, v.Version = seq, at, 1
	if old != nil {
		v.Version = old.Version.Version + 1
	}
	var err error
	if w.Method != store.Delete {
		v.JSON, v.Keys, err = w.Stamp(v.Version, at)
	}
	return v, err
}

// Search returns one page.
func (n *Naive) Search(ctx context.Context, q search.Query) (store.Page, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	asOf, offset, err := n.position(q.After, q.AsOf)
	if err != nil {
		return store.Page{}, err
	}
	found, err := n.matches(q, asOf)
	if err != nil {
		return store.Page{}, err
	}
	var parts []int
	if q.Parts != nil {
		if found, parts, err = n.split(found, q, asOf); err != nil {
			return store.Page{}, err
		}
	}
	counted := q.Total == search.TotalAccurate || q.Total == search.TotalEstimate || q.Count <= 0
	page := n.page(found, asOf, offset, q.Count, counted)
	if parts != nil {
		page.Parts = parts[min(offset, len(parts)):][:len(page.Versions)]
	}
	return page, ctx.Err()
}

// split repeats each match for every result that it stands for.
func (n *Naive) split(found []*naiveVersion, q search.Query, seq uint64) (split []*naiveVersion, parts []int, err error) {
	for _, v := range found {
		whole, err := n.meets(v, q.Parts.Whole, seq, q.Must)
		if err != nil {
			return nil, nil, err
		}
		if whole && len(q.Parts.Whole) > 0 {
			split, parts = append(split, v), append(parts, 0)
		}
		of, err := n.contained(v, &q.Parts.Contained, seq, q.Must)
		if err != nil {
			return nil, nil, err
		}
		for _, part := range of {
			split, parts = append(split, v), append(parts, part)
		}
	}
	return split, parts, nil
}

// contained are the places of the contained resources that meet the criteria.
func (n *Naive) contained(v *naiveVersion, in *search.Contained, seq uint64, must search.Must) ([]int, error) {
	var parts []int
	for i, keys := range n.terms().ContainedKeys(v.Keys) {
		if keys == nil {
			continue
		}
		inner := &naiveVersion{}
		inner.Keys = keys
		ok, err := n.meets(inner, in.Where, seq, must)
		if err != nil {
			return nil, err
		}
		if ok {
			parts = append(parts, i+1)
		}
	}
	return parts, nil
}

func (n *Naive) page(found []*naiveVersion, asOf uint64, offset, count int, counted bool) store.Page {
	page := store.Page{Total: -1, AsOf: asOf}
	if counted {
		page.Total = int64(len(found))
	}
	for i := offset; i < len(found) && i < offset+count; i++ {
		page.Versions = append(page.Versions, found[i].Version)
	}
	if count > 0 && offset+count < len(found) {
		page.Next = fmt.Sprintf("%d:%d", asOf, offset+count)
	}
	return page
}

func (n *Naive) position(after string, asOf uint64) (uint64, int, error) {
	offset := 0
	if after != "" {
		at := uint64(0)
		if _, err := fmt.Sscanf(after, "%d:%d", &at, &offset); err != nil {
			return 0, 0, store.ErrExpired
		}
		if asOf == 0 {
			asOf = at
		}
	}
	if asOf > n.seq {
		return 0, 0, store.ErrExpired
	}
	if asOf == 0 {
		asOf = n.seq
	}
	return asOf, offset, nil
}

// matches returns all matches of a query in order.
func (n *Naive) matches(q search.Query, seq uint64) ([]*naiveVersion, error) {
	var out []*naiveVersion
	for _, v := range n.visible(seq, q.Must) {
		if len(q.Types) > 0 && !slices.Contains(q.Types, v.Type) {
			continue
		}
		ok, err := n.meets(v, q.Where, seq, q.Must)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *naiveVersion) int { return n.compare(a, b, q.Sort) })
	return out, nil
}

// visible returns the resources that were current at seq and may be seen.
func (n *Naive) visible(seq uint64, must search.Must) []*naiveVersion {
	var out []*naiveVersion
	for i := range n.log {
		v := &n.log[i]
		if v.Seq <= seq && (v.end == 0 || v.end > seq) && v.Method != store.Delete && must.Allows(v.Type, v.ID, v.Labels) {
			out = append(out, v)
		}
	}
	return out
}

func (n *Naive) compare(a, b *naiveVersion, sort []search.SortKey) int {
	for _, k := range sort {
		if k.Param.Code == "_lastUpdated" {
			if k.Descending {
				return newestFirst(a, b)
			}
			return -newestFirst(a, b)
		}
		av := n.terms().SortValue(k.Param, a.Keys, k.Descending)
		bv := n.terms().SortValue(k.Param, b.Keys, k.Descending)
		c := 0
		switch {
		case av == nil && bv == nil:
		case av == nil:
			c = 1
		case bv == nil:
			c = -1
		case k.Descending:
			c = bytes.Compare(bv, av)
		default:
			c = bytes.Compare(av, bv)
		}
		if c != 0 {
			return c
		}
	}
	return newestFirst(a, b)
}

func newestFirst(a, b *naiveVersion) int {
	return cmp.Or(cmp.Compare(b.Seq, a.Seq), compareKeys(a.Key, b.Key))
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.ID, b.ID))
}

func (n *Naive) meets(v *naiveVersion, where []search.Clause, seq uint64, must search.Must) (bool, error) {
	for _, c := range where {
		ok, err := n.clause(v, c, seq, must)
		if err != nil || ok == c.Not {
			return false, err
		}
	}
	return true, nil
}

func (n *Naive) clause(v *naiveVersion, c search.Clause, seq uint64, must search.Must) (bool, error) {
	switch {
	case len(c.Any) > 0:
		for _, all := range c.Any {
			if ok, err := n.meets(v, all, seq, must); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case c.Chain != nil:
		return n.chain(v, c, seq, must)
	case c.Has != nil:
		return n.has(v, c.Has, seq, must)
	case c.Contained != nil:
		parts, err := n.contained(v, c.Contained, seq, must)
		return len(parts) > 0, err
	}
	c.Not = false // meets looks at it
	ranges, negate, err := n.terms().Ranges(c)
	if err != nil {
		return false, fmt.Errorf("%w: %w", store.ErrUnsupported, err)
	}
	found := slices.ContainsFunc(v.Keys, func(key []byte) bool {
		return slices.ContainsFunc(ranges, func(r search.Range) bool {
			return bytes.Compare(key, r.Low) >= 0 && (len(r.High) == 0 || bytes.Compare(key, r.High) < 0) &&
				(r.Keep == nil || r.Keep(key))
		})
	})
	return found != negate, nil
}

func (n *Naive) chain(v *naiveVersion, c search.Clause, seq uint64, must search.Must) (bool, error) {
	for _, target := range n.visible(seq, must) {
		if len(c.Chain.Types) > 0 && !slices.Contains(c.Chain.Types, target.Type) {
			continue
		}
		key := n.terms().ReferenceKey(c.Param, target.Type, target.ID)
		if !slices.ContainsFunc(v.Keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
			continue
		}
		if ok, err := n.meets(target, []search.Clause{c.Chain.Where}, seq, must); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (n *Naive) has(v *naiveVersion, h *search.Has, seq uint64, must search.Must) (bool, error) {
	for _, source := range n.visible(seq, must) {
		if source.Type != h.Type {
			continue
		}
		refs := n.terms().References(h.Reference, source.Keys)
		if !slices.Contains(refs, search.Reference{Type: v.Type, ID: v.ID}) {
			continue
		}
		if ok, err := n.meets(source, []search.Clause{h.Where}, seq, must); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// History returns versions.
func (n *Naive) History(ctx context.Context, q store.HistoryQuery) (store.Page, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	asOf, offset, err := n.position(q.After, q.AsOf)
	if err != nil {
		return store.Page{}, err
	}
	var found []*naiveVersion
	for i := range n.log {
		if v := &n.log[i]; v.Seq <= asOf && n.inHistory(v, q, asOf) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, newestFirst)
	if q.Ascending {
		slices.Reverse(found)
	}
	return n.page(found, asOf, offset, q.Count, q.Total), ctx.Err()
}

func (n *Naive) inHistory(v *naiveVersion, q store.HistoryQuery, asOf uint64) bool {
	if q.Type != "" && v.Type != q.Type || q.ID != "" && v.ID != q.ID || !q.Must.Allows(v.Type, v.ID, v.Labels) || !n.stillAllowed(v, q.Must, asOf) {
		return false
	}
	if v.Time.Before(q.Since) {
		return false
	}
	if q.At.IsZero() {
		return true
	}
	begun := v.Time.Before(q.Until) || !q.Until.After(q.At) && !v.Time.After(q.At)
	ended := v.end != 0 && v.end <= asOf && !v.endTime.After(q.At)
	return begun && !ended
}

// stillAllowed reports whether the version that is current in the snapshot
// meets the predicate, too.
func (n *Naive) stillAllowed(v *naiveVersion, must search.Must, asOf uint64) bool {
	for i := range n.log {
		w := &n.log[i]
		if w.Key == v.Key && w.Seq <= asOf && (w.end == 0 || w.end > asOf) {
			return must.Allows(w.Type, w.ID, w.Labels)
		}
	}
	return false
}

// Changes yields every version after since.
func (n *Naive) Changes(ctx context.Context, since uint64) iter.Seq2[store.Version, error] {
	n.mu.RLock()
	all := slices.Clone(n.log)
	n.mu.RUnlock()
	slices.SortFunc(all, func(a, b naiveVersion) int { return newestFirst(&b, &a) })
	return func(yield func(store.Version, error) bool) {
		for _, v := range all {
			if v.Seq > since && !yield(v.Version, ctx.Err()) {
				return
			}
		}
	}
}

// Status tells the size.
func (n *Naive) Status(context.Context) (store.Status, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	s := store.Status{Engine: "naive", Seq: n.seq, Versions: int64(len(n.log))}
	s.Resources = int64(len(n.visible(n.seq, search.Must{Unrestricted: true})))
	return s, nil
}

// Close does nothing.
func (n *Naive) Close() error { return nil }

var _ store.Surveyor = (*Naive)(nil)

// Survey yields the labels of all versions.
func (n *Naive) Survey(ctx context.Context, types []string) iter.Seq2[search.Labels, error] {
	return func(yield func(search.Labels, error) bool) {
		told := map[string]bool{}
		for v := range n.Changes(ctx, 0) {
			name := fmt.Sprint(v.Labels)
			if told[name] || !slices.Contains(types, v.Type) {
				continue
			}
			told[name] = true
			if !yield(v.Labels, ctx.Err()) {
				return
			}
		}
	}
}
