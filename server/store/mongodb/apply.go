package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Apply makes all writes of the transaction or none.
func (e *Engine) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	if err := e.check(tx); err != nil {
		return store.Receipt{}, err
	}
	a := &attempt{e: e, tx: tx, stamps: make([]stamped, len(tx.Writes))}
	if err := e.join(ctx, a); err != nil {
		return store.Receipt{}, err
	}
	e.noteSeq(a.receipt.Seq)
	return a.receipt, nil
}

// stage looks at the store as the session of ctx sees it and says what to
// write, nil for nothing. It may be called several times.
type stage func(ctx context.Context, st state) (*change, error)

// write makes one change, alone in the whole cluster.
func (e *Engine) write(ctx context.Context, s stage) error {
	select { // writers of one process wait here, not by colliding in the cluster
	case <-e.turn:
		defer func() { e.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return e.run(ctx, s)
}

// run makes a change for the one who has the turn.
func (e *Engine) run(ctx context.Context, s stage) error {
	do := e.locked
	if e.transactions {
		do = e.transact
	}
	err := do(ctx, s)
	if mongo.IsDuplicateKeyError(err) { // its text names the resource
		err = fmt.Errorf("%w: the version exists already", store.ErrConflict)
	}
	return withoutText(err)
}

// check refuses what no store could hold, and what this deployment cannot.
func (e *Engine) check(tx store.Tx) error {
	seen := make(map[store.Key]bool, len(tx.Writes))
	for _, w := range tx.Writes {
		if !storable(w.Key) {
			return errors.New("mongodb: a write needs a type and an id")
		}
		if seen[w.Key] {
			return fmt.Errorf("%w: two writes of one resource in a transaction", store.ErrConflict)
		}
		seen[w.Key] = true
		if w.Method != store.Delete && w.Stamp == nil {
			return errors.New("mongodb: a write needs content")
		}
	}
	if len(tx.Writes) > 1 && !e.Transactions() {
		return fmt.Errorf("%w: this MongoDB deployment has no transactions; write one resource at a time", store.ErrUnsupported)
	}
	return nil
}

// attempt is a transaction on its way. Its writes may be tried several times.
type attempt struct {
	e       *Engine
	tx      store.Tx
	at      time.Time // chosen once, unless others were faster
	stamps  []stamped
	receipt store.Receipt
	// refused is why nothing was written. An answer is no failure: what it
	// rests on is made sure of like a write.
	refused error
	done    chan struct{} // closed when refused, or receipt, is settled
}

// stamped is what a Stamp returned, which is called only once.
type stamped struct {
	done    bool
	version uint64
	at      time.Time
	json    []byte
	keys    [][]byte
	err     error
}

// change is what a transaction does to the database.
type change struct {
	insert              []any
	end                 []mongo.WriteModel
	state               state // before
	seq                 int64
	time                bson.DateTime
	resources, versions int64
	horizon             int64 // raised to this, where not 0
}

// plan adds the writes to a change, after those that it holds already, or says
// why not and adds nothing. current are the newest versions of what it writes.
func (a *attempt) plan(c *change, current map[store.Key]*record) error {
	a.receipt = store.Receipt{Seq: uint64(c.seq)}
	if err := checkWrites(a.tx.Writes, current); err != nil {
		return err
	}
	if a.at.IsZero() {
		a.at = a.e.opts.Now().UTC().Truncate(time.Millisecond)
	}
	if last := c.time.Time().UTC(); a.at.Before(last) {
		a.at = last
	}
	own := &change{seq: c.seq + 1, time: bson.NewDateTimeFromTime(a.at)}
	a.receipt.Versions = make([]store.Version, len(a.tx.Writes))
	for i := range a.tx.Writes {
		if err := a.write(own, i, current[a.tx.Writes[i].Key]); err != nil {
			return err
		}
	}
	if len(own.insert) > 0 {
		a.receipt.Seq = uint64(own.seq)
		c.add(own)
	}
	return nil
}

// add lets another change happen after this one.
func (c *change) add(next *change) {
	c.insert, c.end = append(c.insert, next.insert...), append(c.end, next.end...)
	c.seq, c.time = next.seq, next.time
	c.resources += next.resources
	c.versions += next.versions
}

// checkExpectations sets refused where the store is not as the caller saw it.
func (a *attempt) checkExpectations(v *view) error {
	for i, x := range a.tx.Expect {
		q := x.Query
		if q.Count <= 0 {
			q.Count = len(x.Keys) + 1
		}
		where, err := v.compile(q.Where, q.Must)
		if err != nil {
			return err
		}
		hits, _, err := v.match(matching{
			scope: v.scope(q.Types, where, q.Must), order: orderOf(q.Sort, a.e.opts.Terms), count: q.Count,
		})
		if err != nil {
			return err
		}
		keys := make([]store.Key, 0, q.Count)
		for _, h := range hits[:min(len(hits), q.Count)] {
			keys = append(keys, h.key)
		}
		slices.SortFunc(keys, compareKeys)
		if !slices.Equal(keys, x.Keys) {
			a.refused = &store.FailedPrecondition{Write: -1, Expectation: i}
			return nil
		}
	}
	return nil
}

// newestOf returns the newest versions of what is to be written, without their
// content.
func (v *view) newestOf(g group) (map[store.Key]*record, error) {
	var refs []string
	for _, a := range g {
		for i := range a.tx.Writes {
			refs = append(refs, reference(a.tx.Writes[i].Key))
		}
	}
	return v.ofResources(refs)
}

// newest does the same for versions that are to be imported.
func (v *view) newest(versions []store.Version) (map[store.Key]*record, error) {
	refs := make([]string, len(versions))
	for i := range versions {
		refs[i] = reference(versions[i].Key)
	}
	slices.Sort(refs)
	return v.ofResources(slices.Compact(refs))
}

func (v *view) ofResources(refs []string) (map[store.Key]*record, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	filter := append(in("ref", refs), bson.E{Key: "end", Value: int64(0)})
	cursor, err := v.e.records.Find(v.ctx, filter, options.Find().SetProjection(bson.D{{Key: "keys", Value: 0}, {Key: "json", Value: 0}}))
	if err != nil {
		return nil, fmt.Errorf("mongodb: find what is there: %w", err)
	}
	var found []record
	if err := cursor.All(v.ctx, &found); err != nil {
		return nil, fmt.Errorf("mongodb: find what is there: %w", err)
	}
	out := make(map[store.Key]*record, len(found))
	for i := range found {
		out[found[i].key()] = &found[i]
	}
	return out, nil
}

// checkWrites returns the first condition that does not hold.
func checkWrites(writes []store.Write, current map[store.Key]*record) error {
	for i, w := range writes {
		live := uint64(0)
		if r := current[w.Key]; r != nil && !r.deleted() {
			live = uint64(r.Version)
		}
		if w.IfVersion != nil && *w.IfVersion != live {
			return &store.FailedPrecondition{Write: i, Expectation: -1, Current: live}
		}
		if w.Method == store.Create && live != 0 {
			return fmt.Errorf("%w: the resource to create exists", store.ErrConflict)
		}
	}
	return nil
}

// write adds one write to the change.
func (a *attempt) write(c *change, i int, old *record) error {
	w := &a.tx.Writes[i]
	v := store.Version{Key: w.Key, Version: 1, Seq: uint64(c.seq), Method: w.Method, Time: a.at, Labels: w.Labels}
	alive := old != nil && !old.deleted()
	if w.Method == store.Delete {
		if !alive {
			a.receipt.Versions[i] = store.Version{Key: w.Key, Method: w.Method}
			return nil
		}
		v.Labels = old.labels()
		c.resources--
	} else if !alive {
		c.resources++
	}
	if old != nil {
		v.Version = uint64(old.Version) + 1
		c.end = append(c.end, supersede(old, c.seq, c.time))
	}
	var err error
	if w.Method != store.Delete {
		if v.JSON, v.Keys, err = a.stamp(i, v.Version); err != nil {
			return err
		}
	}
	r := a.e.newRecord(v, v.Keys)
	c.versions++
	c.insert = append(c.insert, r)
	a.receipt.Versions[i] = v
	return r.fits()
}

// stamp calls the write's Stamp, once. Should the transaction be repeated and
// others have written in between, the stamp no longer fits.
func (a *attempt) stamp(i int, version uint64) ([]byte, [][]byte, error) {
	s := &a.stamps[i]
	if !s.done {
		json, keys, err := a.tx.Writes[i].Stamp(version, a.at)
		*s = stamped{done: true, version: version, at: a.at, json: json, keys: keys, err: err}
	}
	if s.err != nil {
		return nil, nil, s.err
	}
	if s.version != version || !s.at.Equal(a.at) {
		return nil, nil, fmt.Errorf("%w: another write came in between while this one was repeated", store.ErrConflict)
	}
	return s.json, s.keys, nil
}

// errOvertaken says that somebody else ended a version or moved the state.
var errOvertaken = fmt.Errorf("%w: another write took the place of this one", store.ErrConflict)

// save writes versions, and then ends those they supersede.
func (e *Engine) save(ctx context.Context, c *change) error {
	if len(c.insert) > 0 {
		if _, err := e.records.InsertMany(ctx, c.insert); err != nil {
			return fmt.Errorf("mongodb: write: %w", err)
		}
	}
	if len(c.end) == 0 {
		return nil
	}
	ended, err := e.records.BulkWrite(ctx, c.end)
	if err != nil {
		return fmt.Errorf("mongodb: write: %w", err)
	}
	if ended.MatchedCount != int64(len(c.end)) {
		return errOvertaken
	}
	return nil
}

// advance moves the state on: from then on the change can be seen. and holds
// further conditions, more further updates.
func (e *Engine) advance(ctx context.Context, c *change, and bson.D, more bson.D) error {
	set := bson.D{{Key: "seq", Value: c.seq}, {Key: "time", Value: c.time}}
	if c.horizon != 0 {
		set = append(set, bson.E{Key: "horizon", Value: c.horizon})
	}
	update := append(bson.D{
		{Key: "$set", Value: set},
		{Key: "$inc", Value: bson.D{{Key: "resources", Value: c.resources}, {Key: "versions", Value: c.versions}}},
	}, more...)
	moved, err := e.meta.UpdateOne(ctx, isState(append(bson.D{{Key: "seq", Value: c.state.Seq}}, and...)...), update)
	if err != nil {
		return fmt.Errorf("mongodb: write the state: %w", err)
	}
	if moved.MatchedCount != 1 {
		return errOvertaken
	}
	return nil
}
