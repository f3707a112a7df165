package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// The benchmarks work on observations of about 1.2 KB with 14 index keys, 50
// for each patient. Ratios are within one run; the aims are:
//
//	BenchmarkCreate/store ≥ 50 % of the rate of BenchmarkCreate/pebble
//	BenchmarkSearch/patient_and_code ≤ 0.3 ms
//	BenchmarkOpen ≤ 1 s
const (
	benchPatients     = 600
	benchObservations = 50 * benchPatients
)

var benchText = func() string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < 1100 {
		fmt.Fprintf(&b, `{"system":"http://example.org/%d","value":%d},`, rng.IntN(20), rng.IntN(100000))
	}
	return b.String()
}()

func benchKeys(i int) [][]byte {
	rec := storetest.Record{
		Code:    []string{fmt.Sprint("code-", i%50), fmt.Sprint("category-", i%5), "status-final"},
		Date:    []int64{int64(10000 + i%3650)},
		Subject: []string{fmt.Sprint("Patient/", i%benchPatients)},
	}
	for k := range 9 {
		rec.Name = append(rec.Name, fmt.Sprintf("name-%d-%d", k, i*(k+1)%1000))
	}
	return storetest.Terms{}.Keys(rec)
}

func observation(id, i int) store.Write {
	p := fmt.Sprint(i % benchPatients)
	return store.Write{
		Key: store.Key{Type: "Observation", ID: fmt.Sprintf("%08x-%08x", uint32(id)*2654435761, id)}, Method: store.Create,
		Labels: search.Labels{Author: fmt.Sprint("org-", i%20), Patients: []string{p}},
		Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) {
			return fmt.Appendf(nil, `{"resourceType":"Observation","n":%d,"x":[%s0]}`, i, benchText), benchKeys(i), nil
		},
	}
}

func loaded(b *testing.B, dir string) *embedded.Engine {
	b.Helper()
	e, err := embedded.Open(dir, embedded.Options{Terms: storetest.Terms{}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	order := rand.New(rand.NewPCG(3, 4)).Perm(benchObservations)
	for from := 0; from < benchObservations; from += 200 {
		var tx store.Tx
		for _, i := range order[from : from+200] {
			tx.Writes = append(tx.Writes, observation(i, i))
		}
		if _, err := e.Apply(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

func one(code string, v search.Value) search.Clause {
	return search.Clause{Param: storetest.Param(code), Values: []search.Value{v}}
}

func raw(code, text string) search.Clause { return one(code, search.Value{Raw: text}) }

type patientSet []string

func (p patientSet) Contains(id string) bool {
	for _, x := range p {
		if x == id {
			return true
		}
	}
	return false
}
func (p patientSet) Len() int      { return len(p) }
func (p patientSet) IDs() []string { return p }

func BenchmarkSearch(b *testing.B) {
	e := loaded(b, b.TempDir())
	all := search.Must{Unrestricted: true}
	q := func(where ...search.Clause) search.Query {
		return search.Query{Types: []string{"Observation"}, Where: where, Must: all, Count: 20}
	}
	total := func(q search.Query) search.Query { q.Total = search.TotalAccurate; return q }
	sorted := func(q search.Query) search.Query {
		q.Sort = []search.SortKey{{Param: storetest.Param("date"), Descending: true}}
		return q
	}
	own := q(raw("code", "code-7"))
	own.Must = search.Must{Any: []search.Grant{{Patients: patientSet{"7"}}}}
	year := one("date", search.Value{From: 11000, To: 11365})
	for _, c := range []struct {
		name string
		q    search.Query
	}{
		{"patient and code", q(raw("subject", "Patient/7"), raw("code", "category-2"))},
		{"patient and code by date", sorted(q(raw("subject", "Patient/7"), raw("code", "category-2")))},
		{"code", q(raw("code", "code-7"))},
		{"code with total", total(q(raw("code", "code-7")))},
		{"code by date", sorted(q(raw("code", "code-7")))},
		{"category by date", sorted(q(raw("code", "category-2")))},
		{"category and year", q(raw("code", "category-2"), year)},
		{"category and year with total", total(q(raw("code", "category-2"), year))},
		{"two codes", q(raw("code", "category-2"), raw("code", "code-7"))},
		{"name prefix", q(raw("name", "name-3-12"))},
		{"code, own patient only", own},
		{"all with total", total(q())},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				p, err := e.Search(b.Context(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				n = len(p.Versions)
			}
			b.ReportMetric(float64(n), "rows")
		})
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := e.Read(b.Context(), observation(i%benchObservations, 0).Key); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCreate compares durable single creates of 16 writers with the same
// bytes written to Pebble directly.
func BenchmarkCreate(b *testing.B) {
	const writers = 16
	share := func(b *testing.B, f func(i int) error) {
		var wg sync.WaitGroup
		var next atomic.Int64
		b.ResetTimer()
		for range writers {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= b.N {
						return
					}
					if err := f(i); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
	}
	b.Run("pebble", func(b *testing.B) {
		db, err := pebble.Open(b.TempDir(), &pebble.Options{MemTableSize: 32 << 20, Logger: quiet{}})
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		share(b, func(i int) error {
			batch := db.NewBatch()
			w := observation(i, i)
			json, keys, _ := w.Stamp(1, time.Time{})
			suffix := fmt.Appendf(nil, "%012d", i)
			for _, k := range keys {
				_ = batch.Set(append(append([]byte("iObservation\x00"), k...), suffix...), nil, nil)
			}
			_ = batch.Set(append([]byte("v"), suffix...), json, nil)
			_ = batch.Set([]byte("c"+w.Key.String()), suffix, nil)
			return batch.Commit(pebble.Sync)
		})
	})
	b.Run("store", func(b *testing.B) {
		e, err := embedded.Open(b.TempDir(), embedded.Options{Terms: storetest.Terms{}})
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		share(b, func(i int) error {
			_, err := e.Apply(b.Context(), store.Tx{Writes: []store.Write{observation(i, i)}})
			return err
		})
	})
}

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if err := loaded(b, dir).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e, err := embedded.Open(dir, embedded.Options{Terms: storetest.Terms{}})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = e.Close()
		b.StartTimer()
	}
}
