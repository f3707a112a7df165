package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Import adds versions with the numbers and times they have, keys included:
// whole transactions, newer than everything in the store, in the order of
// Changes. Then it raises the sequence number to upTo. All of it happens at
// once. Older snapshots than upTo expire.
func (e *Engine) Import(ctx context.Context, versions []store.Version, upTo uint64) error {
	build := func(ctx context.Context, st state) (*change, error) {
		return e.stageImport(ctx, st, versions, int64(upTo))
	}
	return e.write(ctx, build)
}

func (e *Engine) stageImport(ctx context.Context, st state, versions []store.Version, upTo int64) (*change, error) {
	if upTo < st.Seq || len(versions) > 0 && (int64(versions[0].Seq) <= st.Seq || int64(versions[len(versions)-1].Seq) > upTo) {
		return nil, fmt.Errorf("%w: the store is at change %d", store.ErrConflict, st.Seq)
	}
	v := &view{e: e, ctx: ctx, seq: uint64(st.Seq), state: st, close: func() {}}
	current, err := v.newest(versions)
	if err != nil {
		return nil, err
	}
	c := &change{state: st, seq: upTo, time: st.Time, horizon: upTo}
	for i := range versions {
		one := &versions[i]
		if !storable(one.Key) {
			return nil, fmt.Errorf("mongodb: change %d has no usable type and id", one.Seq)
		}
		if err := e.importOne(c, one, current[one.Key]); err != nil {
			return nil, err
		}
		current[one.Key] = c.insert[len(c.insert)-1].(*record)
		c.time = current[one.Key].Time
	}
	return c, nil
}

// importOne adds one version, which supersedes old: a version of the store, or
// of the same import.
func (e *Engine) importOne(c *change, v *store.Version, old *record) error {
	r := e.newRecord(*v, v.Keys)
	switch {
	case old == nil:
	case old.Version+1 != r.Version:
		return fmt.Errorf("%w: version %d of a resource follows its version %d", store.ErrConflict, r.Version, old.Version)
	case old.Seq > c.state.Seq:
		old.End, old.EndTime, old.Live, old.Keys = r.Seq, r.Time, false, nil
	default:
		c.end = append(c.end, supersede(old, r.Seq, r.Time))
	}
	if old != nil && !old.deleted() {
		c.resources--
	}
	if !r.deleted() {
		c.resources++
	}
	c.versions++
	c.insert = append(c.insert, r)
	if err := r.fits(); err != nil {
		return fmt.Errorf("change %d: %w", v.Seq, err)
	}
	return nil
}

// supersede ends a version that is still current.
func supersede(old *record, seq int64, at bson.DateTime) mongo.WriteModel {
	return mongo.NewUpdateOneModel().
		SetFilter(old.whileCurrent()).
		SetUpdate(is("$set", bson.D{{Key: "end", Value: seq}, {Key: "endTime", Value: at}}))
}
