package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

func testRead(t *testing.T, k *kit) {
	w := k.world(t)
	labels := search.Labels{Form: "careplan", Author: "org-1", Patients: []string{"b", "a"}}
	first := w.put("Patient/1", Record{Name: []string{"yamada"}}, labels)
	second := w.put("Patient/1", Record{Name: []string{"tanaka"}}, search.Labels{})
	w.put("Patient/10", Record{}, search.Labels{})

	if first.Version != 1 || second.Version != 2 || second.Seq <= first.Seq || second.Time.Before(first.Time) {
		t.Errorf("versions %d, %d, seq %d, %d, time %v, %v", first.Version, second.Version, first.Seq, second.Seq, first.Time, second.Time)
	}
	if first.Time.Location() != time.UTC || !first.Time.Equal(first.Time.Truncate(time.Millisecond)) {
		t.Errorf("time %v is not UTC in milliseconds", first.Time)
	}
	got, err := w.st.Read(t.Context(), key("Patient/1"))
	w.same("Read", got, err, second)
	got, err = w.st.ReadVersion(t.Context(), key("Patient/1"), 1)
	w.same("ReadVersion", got, err, first)
	if !strings.Contains(string(got.JSON), `"versionId":"1"`) {
		t.Errorf("JSON %s does not say its version", got.JSON)
	}
	_, err = w.st.ReadVersion(t.Context(), key("Patient/1"), 3)
	w.wantErr("a version that is not", err, store.ErrNotFound)
	for _, ref := range []string{"Patient/2", "Patient/", "Patient/100", "Observation/1", "Pat/ient/1"} {
		_, err = w.st.Read(t.Context(), key(ref))
		w.wantErr(ref, err, store.ErrNotFound)
	}
}

// same compares versions, except for their keys.
func (w *world) same(what string, got store.Version, err error, want store.Version) {
	w.t.Helper()
	if err != nil {
		w.t.Errorf("%s: %v", what, err)
		return
	}
	got.Keys, want.Keys = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testDelete(t *testing.T, k *kit) {
	w := k.world(t)
	labels := search.Labels{Form: "careplan", Patients: []string{"1"}}
	w.put("Patient/1", Record{Code: []string{"x"}}, labels)
	deleted := w.delete("Patient/1")
	if deleted.Version != 2 || deleted.Method != store.Delete || len(deleted.JSON) != 0 || !cmp.Equal(deleted.Labels, labels) {
		t.Errorf("deletion %+v", deleted)
	}
	got, err := w.st.Read(t.Context(), key("Patient/1"))
	w.wantErr("deleted", err, store.ErrGone)
	w.same("the version with ErrGone", got, nil, deleted)
	got, err = w.st.ReadVersion(t.Context(), key("Patient/1"), 2)
	w.same("the deletion", got, err, deleted)
	if again := w.delete("Patient/1"); again.Version != 0 {
		t.Errorf("deleted twice: version %d", again.Version)
	}
	if never := w.delete("Patient/2"); never.Version != 0 {
		t.Errorf("deleted what never was: version %d", never.Version)
	}
	w.found("after the deletion", query("Patient", w.clause("Patient", "code", "x")))
	back := w.put("Patient/1", Record{Code: []string{"x"}}, labels)
	if back.Version != 3 {
		t.Errorf("brought back as version %d", back.Version)
	}
	w.found("brought back", query("Patient", w.clause("Patient", "code", "x")), "Patient/1")
	st, err := w.st.Status(t.Context())
	if err != nil || st.Resources != 1 || st.Versions != 3 || st.ReadOnly {
		t.Errorf("status %+v, %v", st, err)
	}
}

func testPreconditions(t *testing.T, k *kit) {
	w := k.world(t)
	w.put("Patient/live", Record{}, search.Labels{})
	w.put("Patient/gone", Record{}, search.Labels{})
	w.delete("Patient/gone")
	for _, c := range []struct {
		name      string
		method    store.Method
		ref       string
		ifVersion *uint64
		want      error
		current   uint64
	}{
		{"update the current", store.Update, "Patient/live", version(1), nil, 0},
		{"update an old one", store.Update, "Patient/live", version(1), store.ErrPrecondition, 2},
		{"update one to come", store.Update, "Patient/live", version(3), store.ErrPrecondition, 2},
		{"update if none, one is", store.Update, "Patient/live", version(0), store.ErrPrecondition, 2},
		{"delete an old one", store.Delete, "Patient/live", version(1), store.ErrPrecondition, 2},
		{"create what is", store.Create, "Patient/live", nil, store.ErrConflict, 0},
		{"create if none, one is", store.Create, "Patient/live", version(0), store.ErrPrecondition, 2},
		{"update a deleted one", store.Update, "Patient/gone", version(2), store.ErrPrecondition, 0},
		{"delete a deleted one", store.Delete, "Patient/gone", version(2), store.ErrPrecondition, 0},
		{"update if none, deleted", store.Update, "Patient/gone", version(0), nil, 0},
		{"create if none", store.Create, "Patient/new", version(0), nil, 0},
		{"delete the current", store.Delete, "Patient/new", version(1), nil, 0},
		{"create over a deletion", store.Create, "Patient/new", nil, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			write := w.write(c.method, c.ref, Record{}, search.Labels{})
			write.IfVersion = c.ifVersion
			_, err := w.st.Apply(t.Context(), store.Tx{Writes: []store.Write{write}})
			if c.want == nil && err != nil || !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			var failed *store.FailedPrecondition
			if errors.As(err, &failed) && (failed.Write != 0 || failed.Expectation != -1 || failed.Current != c.current) {
				t.Errorf("failed %+v, want current version %d", failed, c.current)
			}
		})
	}
}

func testTransaction(t *testing.T, k *kit) {
	w := k.world(t)
	w.put("Patient/1", Record{}, search.Labels{})
	before, _ := w.st.Status(t.Context())

	failing := w.write(store.Update, "Patient/1", Record{}, search.Labels{})
	failing.IfVersion = version(7)
	_, err := w.st.Apply(t.Context(), store.Tx{Writes: []store.Write{
		w.write(store.Create, "Patient/2", Record{Code: []string{"x"}}, search.Labels{}),
		w.write(store.Delete, "Patient/1", Record{}, search.Labels{}),
		failing,
	}})
	if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrPrecondition) {
		t.Errorf("two writes of one resource: %v", err)
	}
	_, err = w.st.Apply(t.Context(), store.Tx{Writes: []store.Write{
		w.write(store.Create, "Patient/2", Record{Code: []string{"x"}}, search.Labels{}), failing,
	}})
	var failed *store.FailedPrecondition
	if !errors.As(err, &failed) || failed.Write != 1 {
		t.Errorf("the second write fails: %v", err)
	}
	sentinel := errors.New("stamp")
	broken := w.write(store.Create, "Patient/3", Record{}, search.Labels{Form: "never"})
	broken.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) { return nil, nil, sentinel }
	_, err = w.st.Apply(t.Context(), store.Tx{Writes: []store.Write{
		w.write(store.Create, "Patient/2", Record{Code: []string{"x"}}, search.Labels{Form: "never"}), broken,
	}})
	w.wantErr("a stamp that fails", err, sentinel)
	after, _ := w.st.Status(t.Context())
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("failed transactions left something (-before +after):\n%s", diff)
	}
	w.found("nothing of them", query("Patient", w.clause("Patient", "code", "x")))

	r := w.apply(
		w.write(store.Create, "Patient/2", Record{}, search.Labels{Form: "never"}),
		w.write(store.Delete, "Patient/9", Record{}, search.Labels{}),
		w.write(store.Update, "Patient/1", Record{}, search.Labels{}),
	)
	if got := refs(r.Versions); !cmp.Equal(got, []string{"Patient/2", "Patient/9", "Patient/1"}) {
		t.Errorf("receipt %v", got)
	}
	if r.Versions[0].Seq != r.Seq || r.Versions[2].Seq != r.Seq || r.Versions[1].Version != 0 || r.Versions[2].Version != 2 {
		t.Errorf("receipt %+v", r)
	}
	got, err := w.st.Read(t.Context(), key("Patient/2"))
	w.same("labels first used in a failed transaction", got, err, r.Versions[0])
	if empty := w.apply(); empty.Seq != r.Seq {
		t.Errorf("an empty transaction has seq %d, want %d", empty.Seq, r.Seq)
	}
}

func testExpectations(t *testing.T, k *kit) {
	w := k.world(t)
	w.put("Patient/1", Record{Code: []string{"x"}}, search.Labels{})
	w.put("Patient/2", Record{Code: []string{"y"}}, search.Labels{})
	expect := func(code string, keys ...string) store.Expectation {
		q := query("Patient", w.clause("Patient", "code", code))
		q.Count = 2
		x := store.Expectation{Query: q}
		for _, s := range keys {
			x.Keys = append(x.Keys, key(s))
		}
		return x
	}
	for _, c := range []struct {
		name   string
		expect []store.Expectation
		failed int // -1: none
	}{
		{"as it is", []store.Expectation{expect("x", "Patient/1"), expect("z")}, -1},
		{"another", []store.Expectation{expect("x", "Patient/2")}, 0},
		{"none, one is", []store.Expectation{expect("x", "Patient/1"), expect("y")}, 1},
		{"one, none is", []store.Expectation{expect("z", "Patient/1")}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.st.Apply(t.Context(), store.Tx{Expect: c.expect, Writes: []store.Write{
				w.write(store.Update, "Patient/3", Record{}, search.Labels{}),
			}})
			var failed *store.FailedPrecondition
			switch {
			case c.failed < 0 && err != nil:
				t.Errorf("error %v", err)
			case c.failed >= 0 && (!errors.As(err, &failed) || failed.Expectation != c.failed || failed.Write != -1):
				t.Errorf("error %v (%+v), want expectation %d to fail", err, failed, c.failed)
			}
		})
	}
}
