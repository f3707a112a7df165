package upkeep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

// rig is a store with an eraser whose steps are noted.
type rig struct {
	*embedded.Engine
	t     *testing.T
	steps []string
	// meanwhile is called before each erasure, as somebody else.
	meanwhile func()
	refuses   error // of the record
}

func newRig(t *testing.T) (*rig, *upkeep.Eraser) {
	t.Helper()
	e, err := embedded.OpenMemory(embedded.Options{Terms: storetest.Terms{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	r := &rig{Engine: e, t: t, meanwhile: func() {}}
	return r, &upkeep.Eraser{Store: e, Engine: r, Recorder: r, Now: time.Now,
		CatchUp: func(context.Context) error { r.steps = append(r.steps, "caught up"); return nil }}
}

func (r *rig) Erase(ctx context.Context, current bool, list []store.Erasing) ([]int, error) {
	r.meanwhile()
	r.steps = append(r.steps, "erase")
	return r.Engine.Erase(ctx, current, list)
}

func (r *rig) Record(context.Context, interaction.Access) error { return errors.New("not joined") }

func (r *rig) Join(_ context.Context, a interaction.Access) ([]store.Write, func(error), error) {
	step := "record"
	for _, s := range a.Seen {
		step += " " + s.Key.String()
	}
	if !a.Erased || a.Interaction != "$purge" {
		r.t.Errorf("record %+v", a)
	}
	return nil, func(err error) {
		if err == nil {
			r.steps = append(r.steps, step)
		}
	}, r.refuses
}

func (r *rig) write(id string) {
	r.t.Helper()
	_, err := r.Apply(r.t.Context(), store.Tx{Writes: []store.Write{{Key: store.Key{Type: "Basic", ID: id}, Method: store.Update,
		Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) { return []byte(`{}`), nil, nil }}}})
	if err != nil {
		r.t.Fatal(err)
	}
}

func order(ids ...string) upkeep.Order {
	var o upkeep.Order
	for _, id := range ids {
		o.Keys = append(o.Keys, store.Key{Type: "Basic", ID: id})
	}
	return o
}

func nothing(int) error { return nil }

// TestOrderOfSteps: recorded and seen by all, then erased; what somebody brings
// back in between is recorded and erased as well.
func TestOrderOfSteps(t *testing.T) {
	r, e := newRig(t)
	for _, id := range []string{"a", "b", "a", "a"} {
		r.write(id)
	}
	first := true
	r.meanwhile = func() {
		if first {
			r.write("a") // back to life, after everybody saw it deleted
		}
		first = false
	}
	n, err := e.Erase(t.Context(), order("a", "b", "unknown"), 0, nothing)
	if err != nil || n != 2+6 { // of b: itself and its deletion; of a: three, a deletion, one more, a deletion
		t.Errorf("%d versions, %v", n, err)
	}
	want := []string{"record Basic/a Basic/b", "caught up", "erase", "record Basic/a", "caught up", "erase"}
	if diff := cmp.Diff(want, r.steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	for v, err := range r.Changes(t.Context(), 0) {
		t.Errorf("left: %s version %d, %v", v.Key, v.Version, err)
	}
}

// TestNoErasureWithoutRecord: where the record cannot be kept, or the policy
// cannot see the deletion, everything stays.
func TestNoErasureWithoutRecord(t *testing.T) {
	broken := errors.New("broken")
	for name, breaks := range map[string]func(*rig, *upkeep.Eraser){
		"record":   func(r *rig, _ *upkeep.Eraser) { r.refuses = broken },
		"catch up": func(_ *rig, e *upkeep.Eraser) { e.CatchUp = func(context.Context) error { return broken } },
	} {
		t.Run(name, func(t *testing.T) {
			r, e := newRig(t)
			r.write("a")
			breaks(r, e)
			if _, err := e.Erase(t.Context(), order("a"), 0, nothing); !errors.Is(err, broken) {
				t.Errorf("%v", err)
			}
			if v, err := r.ReadVersion(t.Context(), store.Key{Type: "Basic", ID: "a"}, 1); err != nil || len(v.JSON) == 0 {
				t.Errorf("the version is gone: %v", err)
			}
		})
	}
}

// TestWrittenAllTheTime ends, and says so.
func TestWrittenAllTheTime(t *testing.T) {
	r, e := newRig(t)
	r.write("a")
	r.meanwhile = func() { r.write("a") }
	if n, err := e.Erase(t.Context(), order("a"), 0, nothing); err == nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}

// TestGoesOn begins after what is done, and stops where its context ends.
func TestGoesOn(t *testing.T) {
	r, e := newRig(t)
	var ids []string
	for i := range 250 {
		ids = append(ids, string(rune('a'+i/26))+string(rune('a'+i%26)))
		r.write(ids[i])
	}
	ctx, cancel := context.WithCancel(t.Context())
	var marks []int
	if _, err := e.Erase(ctx, order(ids...), 0, func(done int) error { marks = append(marks, done); cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	n, err := e.Erase(t.Context(), order(ids...), 100, func(done int) error { marks = append(marks, done); return nil })
	if diff := cmp.Diff([]int{100, 200, 250}, marks); diff != "" || err != nil || n != 2*150 {
		t.Errorf("%d versions, %v, marks (-want +got):\n%s", n, err, diff)
	}
}
