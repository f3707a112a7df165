package copy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/copy"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

func open(t *testing.T) *embedded.Engine {
	t.Helper()
	e, err := embedded.OpenMemory(embedded.Options{Terms: storetest.Terms{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// fill writes random transactions of creations, updates and deletions.
func fill(t *testing.T, st store.Store, seed uint64, transactions int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	for range transactions {
		var tx store.Tx
		for _, n := range r.Perm(12)[:1+r.IntN(4)] {
			tx.Writes = append(tx.Writes, write(r, n))
		}
		if _, err := st.Apply(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
}

func write(r *rand.Rand, n int) store.Write {
	w := store.Write{Key: store.Key{Type: []string{"Patient", "Observation"}[n%2], ID: fmt.Sprint(n)}, Method: store.Update}
	if r.IntN(5) == 0 {
		w.Method = store.Delete
		return w
	}
	w.Labels = search.Labels{Form: "f", Author: "o", Patients: []string{fmt.Sprint(n), "z"}[:r.IntN(3)]}
	code := fmt.Sprint(r.IntN(3))
	w.Stamp = func(version uint64, _ time.Time) ([]byte, [][]byte, error) {
		b, err := json.Marshal(map[string]any{"id": w.Key.ID, "version": version, "code": code})
		return b, keysOf(code), err
	}
	return w
}

func keysOf(code string) [][]byte {
	return storetest.Terms{}.Keys(storetest.Record{Code: []string{code}})
}

// keys reads them from the content, as the copy of a real store does.
func keys(v store.Version) ([][]byte, error) {
	var content struct{ Code string }
	err := json.Unmarshal(v.JSON, &content)
	return keysOf(content.Code), err
}

func TestCopy(t *testing.T) {
	from, to := open(t), open(t)
	fill(t, from, 1, 60)
	var told []copy.Progress
	job := copy.Job{From: from, To: to, Keys: keys, Batch: 7, Progress: func(p copy.Progress) { told = append(told, p) }}
	report, err := job.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := from.Status(t.Context())
	got, _ := to.Status(t.Context())
	got.Origin = want.Origin // each store has its own
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-source +target):\n%s", diff)
	}
	if report.Versions != want.Versions || report.Copied != want.Versions || report.Seq != want.Seq || len(told) < 5 || told[len(told)-1].Seq != want.Seq {
		t.Errorf("report %+v, progress %+v", report, told)
	}
	for code := range 3 {
		sameSearch(t, from, to, fmt.Sprint(code))
	}
	again, err := job.Run(t.Context())
	if err != nil || again.Copied != 0 || again.SHA256 != report.SHA256 {
		t.Errorf("a second run: %+v, %v", again, err)
	}
	fill(t, from, 2, 20)
	fill2, err := job.Run(t.Context())
	if err != nil || fill2.Copied != fill2.Versions-report.Versions || fill2.SHA256 == report.SHA256 {
		t.Errorf("after more writes: %+v, %v", fill2, err)
	}
	fill(t, to, 3, 1) // the copy lives on
}

func sameSearch(t *testing.T, from, to store.Store, code string) {
	t.Helper()
	q := search.Query{Count: 100, Must: search.Must{Unrestricted: true}}
	q.Where = []search.Clause{{Param: &search.Parameter{SearchParameter: &r4.SearchParameter{Code: "code"}}, Values: []search.Value{{Raw: code}}}}
	a, err1 := from.Search(t.Context(), q)
	b, err2 := to.Search(t.Context(), q)
	if diff := cmp.Diff(a.Versions, b.Versions); diff != "" || err1 != nil || err2 != nil {
		t.Errorf("search for %s: %v, %v (-source +target):\n%s", code, err1, err2, diff)
	}
}

// interrupted is a target that fails after some imports.
type interrupted struct {
	*embedded.Engine
	left int
}

var errPower = errors.New("power cut")

func (i *interrupted) Import(ctx context.Context, versions []store.Version, upTo uint64) error {
	if i.left--; i.left < 0 {
		// A beginning of it, in whole transactions, may have been kept.
		n := 0
		for n < len(versions) && versions[n].Seq == versions[0].Seq {
			n++
		}
		return errors.Join(i.Engine.Import(ctx, versions[:n], versions[0].Seq), errPower)
	}
	return i.Engine.Import(ctx, versions, upTo)
}

func TestResume(t *testing.T) {
	from, to := open(t), open(t)
	fill(t, from, 4, 60)
	copied := int64(0)
	for range 100 {
		job := copy.Job{From: from, To: &interrupted{Engine: to, left: 2}, Keys: keys, Batch: 5}
		report, err := job.Run(t.Context())
		copied += report.Copied
		if err == nil {
			if st, _ := from.Status(t.Context()); report.Versions != st.Versions {
				t.Errorf("report %+v of %d versions", report, st.Versions)
			}
			return
		}
		if !errors.Is(err, errPower) {
			t.Fatal(err)
		}
	}
	t.Error("the copy never ends")
}

// TestErased copies a store with gaps: sequence numbers without versions, and
// resources whose first versions are gone.
func TestErased(t *testing.T) {
	from, to := open(t), open(t)
	fill(t, from, 5, 40)
	if n, err := from.Purge(t.Context(), false, store.Key{Type: "Patient", ID: "2"}); err != nil || n == 0 {
		t.Fatalf("purged %d, %v", n, err)
	}
	if _, err := from.Purge(t.Context(), true, store.Key{Type: "Observation", ID: "3"}); err != nil {
		t.Fatal(err)
	}
	report, err := copy.Job{From: from, To: to, Keys: keys, Batch: 3}.Run(t.Context())
	if st, _ := from.Status(t.Context()); err != nil || report.Seq != st.Seq || report.Versions != st.Versions {
		t.Errorf("report %+v, %v, source %+v", report, err, st)
	}
}

func TestRefusesOtherTarget(t *testing.T) {
	from, to := open(t), open(t)
	fill(t, from, 6, 10)
	fill(t, to, 7, 5)
	if _, err := (copy.Job{From: from, To: to, Keys: keys}).Run(t.Context()); !errors.Is(err, copy.ErrOther) {
		t.Errorf("another store: %v", err)
	}
	if st, _ := to.Status(t.Context()); st.Seq != 5 {
		t.Errorf("something was copied: %+v", st)
	}
	fill(t, to, 8, 20)
	if _, err := (copy.Job{From: from, To: to, Keys: keys}).Run(t.Context()); !errors.Is(err, copy.ErrOther) {
		t.Errorf("a longer store: %v", err)
	}
}

// altered changes one version on its way.
type altered struct{ *embedded.Engine }

func (a altered) Import(ctx context.Context, versions []store.Version, upTo uint64) error {
	for i := range versions {
		if versions[i].Seq == 7 && versions[i].JSON != nil {
			versions[i].JSON = []byte(`{"code":"other"}`)
		}
	}
	return a.Engine.Import(ctx, versions, upTo)
}

func TestFindsDifference(t *testing.T) {
	from, to := open(t), open(t)
	fill(t, from, 9, 20)
	if _, err := (copy.Job{From: from, To: altered{to}, Keys: keys}).Run(t.Context()); !errors.Is(err, copy.ErrDiffers) {
		t.Errorf("an altered version: %v", err)
	}
}
