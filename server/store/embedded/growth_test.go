package embedded_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

var (
	growthSizes = flag.String("growth", "2000,8000", "numbers of resources at which TestGrowth measures the same searches")
	growthCache = flag.Int64("growth-cache", 128, "Options.CacheBytes of TestGrowth, in MiB")
	growthAsks  = flag.Int("growth-asks", 100, "how often TestGrowth asks each")
)

const (
	perPatient = 50     // records of each patient but one
	heaviest   = 20_000 // most records of that one, "heavy"
)

// grown is observation i of a store that grows. The first ones, a fifth of a
// small store, are of one patient.
func grown(i, heavy int) store.Write {
	patient := "heavy"
	if i >= heavy {
		patient = strconv.Itoa(i / perPatient)
	}
	w := observation(i, i)
	w.Labels = search.Labels{Author: fmt.Sprint("org-", i%20), Patients: []string{patient}}
	rec := storetest.Record{
		Code: []string{fmt.Sprint("code-", i*7%10), "category-" + strconv.Itoa(i%5), "status-final"},
		Date: []int64{int64(10_000 + i*7919%3650)}, Subject: []string{"Patient/" + patient},
		Name: []string{"name-" + strconv.Itoa(i*31%1_000_003)},
	}
	for k := range 8 {
		rec.Code = append(rec.Code, fmt.Sprintf("other-%d-%d", k, i*(k+1)%1000))
	}
	w.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) {
		return fmt.Appendf(nil, `{"resourceType":"Observation","n":%d,"x":[%s0]}`, i, benchText), storetest.Terms{}.Keys(rec), nil
	}
	return w
}

// TestGrowth asks the same at growing sizes and wants full pages; it prints
// rates and latencies, which it does not judge. `make growth` runs it at
// 100 thousand, 1 million and 5 million resources.
func TestGrowth(t *testing.T) {
	e, err := embedded.Open(t.TempDir(), embedded.Options{Terms: storetest.Terms{}, CacheBytes: *growthCache << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	have := 0
	var heavy int
	for i, text := range strings.Split(*growthSizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil || size <= have {
			t.Fatalf("-growth: %q: want growing numbers", text)
		}
		if i == 0 {
			heavy = min(size/5, heaviest)
		}
		began := time.Now()
		for from := have; from < size; from += 200 {
			var tx store.Tx
			for i := from; i < min(from+200, size); i++ {
				tx.Writes = append(tx.Writes, grown(i, heavy))
			}
			if _, err := e.Apply(t.Context(), tx); err != nil {
				t.Fatal(err)
			}
		}
		loaded := time.Since(began)
		if err := e.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		rate := func(d time.Duration) float64 { return float64(size-have) / d.Seconds() }
		t.Logf("%8d resources: import %.0f resources/s, %.0f with the compactions it caused", size, rate(loaded), rate(time.Since(began)))
		have = size
		for _, c := range growthSearches(size, heavy) {
			c.measure(t, e, size)
		}
	}
}

type growthSearch struct {
	name  string
	rows  int
	query func(r *rand.Rand) search.Query
}

func growthSearches(size, heavy int) []growthSearch {
	byDate := []search.SortKey{{Param: storetest.Param("date"), Descending: true}}
	all := search.Must{Unrestricted: true}
	make := func(name string, rows int, must search.Must, sort []search.SortKey, where func(r *rand.Rand) []search.Clause) growthSearch {
		return growthSearch{name, rows, func(r *rand.Rand) search.Query {
			return search.Query{Types: []string{"Observation"}, Where: where(r), Must: must, Sort: sort, Count: 20}
		}}
	}
	someone := func(r *rand.Rand) search.Clause {
		first := (heavy + perPatient - 1) / perPatient
		return raw("subject", fmt.Sprint("Patient/", first+r.IntN(size/perPatient-first)))
	}
	code := func(r *rand.Rand) search.Clause { return raw("code", fmt.Sprint("code-", r.IntN(10))) }
	own := search.Must{Any: []search.Grant{{Patients: patientSet{"heavy"}}}}
	return []growthSearch{
		make("patient and code by date", 5, all, byDate, func(r *rand.Rand) []search.Clause { return []search.Clause{someone(r), code(r)} }),
		make("heavy patient and code by date", 20, all, byDate, func(r *rand.Rand) []search.Clause {
			return []search.Clause{raw("subject", "Patient/heavy"), code(r)}
		}),
		make("own records by code", 20, own, nil, func(r *rand.Rand) []search.Clause { return []search.Clause{code(r)} }),
		make("code", 20, all, nil, func(r *rand.Rand) []search.Clause { return []search.Clause{code(r)} }),
		make("two codes", 20, all, nil, func(r *rand.Rand) []search.Clause {
			return []search.Clause{code(r), raw("code", "status-final")}
		}),
		make("name", 1, all, nil, func(r *rand.Rand) []search.Clause {
			return []search.Clause{raw("name", "name-"+strconv.Itoa(r.IntN(size)*31%1_000_003))}
		}),
	}
}

// measure asks the search with other values again and again, and keeps the times
// of the second half.
func (c growthSearch) measure(t *testing.T, e *embedded.Engine, size int) {
	r := rand.New(rand.NewPCG(1, 2))
	times := make([]time.Duration, *growthAsks)
	for i := range times {
		q := c.query(r)
		began := time.Now()
		p, err := e.Search(t.Context(), q)
		times[i] = time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Versions) < c.rows {
			t.Fatalf("%s: %d resources, want %d", c.name, len(p.Versions), c.rows)
		}
	}
	times = times[len(times)/2:]
	slices.Sort(times)
	t.Logf("%8d resources: %-32s p50 %8v  p95 %8v", size, c.name, times[len(times)/2].Round(time.Microsecond), times[len(times)*95/100].Round(time.Microsecond))
}
