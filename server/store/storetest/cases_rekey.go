package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Rekeyer = (*Naive)(nil)

// Rekey gives current versions other keys.
func (n *Naive) Rekey(ctx context.Context, list []store.Rekeying) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range list {
		if v := n.current(r.Key, n.seq); v != nil && v.Method != store.Delete && v.Version.Version == r.Version {
			v.Keys = r.Keys
		}
	}
	return ctx.Err()
}

// rekeying gives a version the keys that another record would have.
func (w *world) rekeying(v store.Version, r Record) store.Rekeying {
	w.t.Helper()
	_, keys, err := w.k.dialect.stamp(v.Key, r)(v.Version, v.Time)
	if err != nil {
		w.t.Fatal(err)
	}
	return store.Rekeying{Key: v.Key, Version: v.Version, Keys: keys}
}

func (w *world) rekeyer() store.Rekeyer {
	w.t.Helper()
	r, ok := w.st.(store.Rekeyer)
	if !ok {
		w.t.Skip("the engine is no store.Rekeyer: custom search parameters cannot be used with it")
	}
	return r
}

func testRekey(t *testing.T, k *kit) {
	w := k.world(t)
	rk := w.rekeyer()
	labels := search.Labels{Form: "careplan", Author: "org-1", Patients: []string{"1"}}
	one := w.put("Patient/1", Record{Code: []string{"x"}, Name: []string{"yamada"}}, labels)
	two := w.put("Patient/2", Record{Code: []string{"x"}}, search.Labels{})
	old := w.put("Patient/3", Record{Code: []string{"x"}}, search.Labels{})
	w.put("Patient/3", Record{Code: []string{"x"}}, search.Labels{})
	gone := w.put("Patient/4", Record{Code: []string{"x"}}, search.Labels{})
	w.delete("Patient/4")
	before, err := w.st.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := rk.Rekey(t.Context(), []store.Rekeying{
		w.rekeying(one, Record{Code: []string{"y", "z"}, Name: []string{"yamada"}}),
		w.rekeying(old, Record{Code: []string{"y"}}),
		w.rekeying(gone, Record{Code: []string{"y"}}),
		{Key: key("Patient/5"), Version: 1, Keys: w.rekeying(two, Record{Code: []string{"y"}}).Keys},
	}); err != nil {
		t.Fatal(err)
	}
	w.found("the new keys", query("Patient", w.clause("Patient", "code", "y")), "Patient/1")
	w.found("the old keys", query("Patient", w.clause("Patient", "code", "x")), "Patient/3", "Patient/2")
	w.found("a key that stayed", query("Patient", w.clause("Patient", "name", "yamada")), "Patient/1")
	w.found("two conditions", query("Patient", w.clause("Patient", "code", "z"), w.clause("Patient", "name", "yamada")), "Patient/1")
	q := query("Patient", w.clause("Patient", "code", "y"))
	q.Must = search.Must{Any: []search.Grant{{Authors: []string{"org-1"}}}}
	w.found("the author sees it", q, "Patient/1")
	q.Must = search.Must{Any: []search.Grant{{Authors: []string{"org-2"}}}}
	w.found("another does not", q)

	after, err := w.st.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("status (-before +after):\n%s", diff)
	}
	got, err := w.st.Read(t.Context(), one.Key)
	w.same("the version itself", got, err, one)
	for v, err := range w.st.Changes(t.Context(), before.Seq) {
		t.Errorf("a change: %v, %v", v.Key, err)
	}

	w.put("Patient/1", Record{Code: []string{"x"}}, labels)
	w.found("written again", query("Patient", w.clause("Patient", "code", "y")))
	w.found("written again", query("Patient", w.clause("Patient", "code", "x")), "Patient/1", "Patient/3", "Patient/2")
	w.delete("Patient/2")
	if err := rk.Rekey(t.Context(), []store.Rekeying{w.rekeying(two, Record{Code: []string{"y"}})}); err != nil {
		t.Fatal(err)
	}
	w.found("deleted since", query("Patient", w.clause("Patient", "code", "y")))
}

// A write that comes between the look at a resource and its new keys wins.
func testRekeyWhileOthersWrite(t *testing.T, k *kit) {
	w := k.world(t)
	rk := w.rekeyer()
	const resources, rounds = 4, 40
	var group sync.WaitGroup
	for i := range resources {
		ref := fmt.Sprintf("Patient/%d", i)
		w.put(ref, Record{Code: []string{"x"}}, search.Labels{})
		group.Go(func() {
			for range rounds {
				if _, err := w.st.Apply(context.Background(), store.Tx{Writes: []store.Write{w.write(store.Update, ref, Record{Code: []string{"new"}}, search.Labels{})}}); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			for range rounds {
				v, err := w.st.Read(context.Background(), key(ref))
				if err != nil {
					t.Error(err)
					continue
				}
				if v.Version == 1+rounds {
					return // the last one keeps its keys
				}
				_, keys, err := w.k.dialect.stamp(v.Key, Record{Code: []string{"other"}})(v.Version, v.Time)
				if err == nil {
					err = rk.Rekey(context.Background(), []store.Rekeying{{Key: v.Key, Version: v.Version, Keys: keys}})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	q := query("Patient", w.clause("Patient", "code", "new"))
	q.Total = search.TotalAccurate
	if p := w.page(q); p.Total != resources {
		t.Errorf("%d resources have the keys of their last version, want %d", p.Total, resources)
	}
	w.found("keys of versions that were overtaken", query("Patient", w.clause("Patient", "code", "other")))
}
