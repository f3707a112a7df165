package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// BenchmarkSealed compares an encrypted store with one in the clear: both do
// the same by turns. It prints the medians and their ratio; the
// small cache holds little, so that most blocks are read from the file and
// decrypted.
func BenchmarkSealed(b *testing.B) {
	plain, sealed := newSealedBench(b, false), newSealedBench(b, true)
	for _, c := range []struct {
		name  string
		cache int64
		do    func(s *sealedBench, round int) error
	}{
		{"durable creates of 16 writers", 0, (*sealedBench).creates},
		{"import of 200 resources", 0, (*sealedBench).imports},
		{"100 reads", 0, (*sealedBench).reads},
		{"100 reads, small cache", smallCache, (*sealedBench).reads},
		{"page of 20, small cache", smallCache, (*sealedBench).page},
	} {
		b.Run(c.name, func(b *testing.B) {
			plain.open(b, c.cache)
			sealed.open(b, c.cache)
			var times [2][]time.Duration
			for round := 0; b.Loop(); round++ {
				for i, s := range []*sealedBench{plain, sealed} {
					began := time.Now()
					if err := c.do(s, round); err != nil {
						b.Fatal(err)
					}
					times[i] = append(times[i], time.Since(began))
				}
			}
			p, s := median(times[0]), median(times[1])
			b.ReportMetric(float64(p.Microseconds()), "plain-µs")
			b.ReportMetric(float64(s.Microseconds()), "sealed-µs")
			b.ReportMetric(float64(s)/float64(p), "sealed/plain")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// sealedBench is one of the two stores.
type sealedBench struct {
	ctx     context.Context
	dir     string
	options embedded.Options
	e       *embedded.Engine
	next    int // number of the next resource
}

func newSealedBench(b *testing.B, sealed bool) *sealedBench {
	b.Helper()
	s := &sealedBench{ctx: b.Context(), dir: b.TempDir(), options: embedded.Options{Terms: storetest.Terms{}}}
	if sealed {
		s.options.Master = masterKey("bench")
	}
	s.open(b, 0)
	b.Cleanup(func() { _ = s.e.Close() })
	for range benchObservations / 2 / 200 {
		if err := s.imports(0); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.e.Compact(s.ctx); err != nil {
		b.Fatal(err)
	}
	return s
}

// open opens the store anew with another cache.
func (s *sealedBench) open(b *testing.B, cache int64) {
	b.Helper()
	if s.e != nil {
		if err := s.e.Close(); err != nil {
			b.Fatal(err)
		}
	}
	var err error
	s.options.CacheBytes = cache
	if s.e, err = embedded.Open(s.dir, s.options); err != nil {
		b.Fatal(err)
	}
}

func (s *sealedBench) creates(int) error {
	const writers, each = 16, 4
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		first := s.next + w*each
		wg.Go(func() {
			for i := first; i < first+each && errs[w] == nil; i++ {
				_, errs[w] = s.e.Apply(s.ctx, store.Tx{Writes: []store.Write{observation(i, i)}})
			}
		})
	}
	wg.Wait()
	s.next += writers * each
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if i < 0 {
		return nil
	}
	return errs[i]
}

func (s *sealedBench) imports(int) error {
	var tx store.Tx
	for range 200 {
		tx.Writes = append(tx.Writes, observation(s.next, s.next))
		s.next++
	}
	_, err := s.e.Apply(s.ctx, tx)
	return err
}

func (s *sealedBench) reads(round int) error {
	rng := rand.New(rand.NewPCG(uint64(round), 0))
	for range 100 {
		if _, err := s.e.Read(s.ctx, observation(rng.IntN(benchObservations/2), 0).Key); err != nil {
			return err
		}
	}
	return nil
}

func (s *sealedBench) page(round int) error {
	_, err := s.e.Search(s.ctx, search.Query{Types: []string{"Observation"}, Count: 20, Must: search.Must{Unrestricted: true},
		Where: []search.Clause{raw("subject", fmt.Sprint("Patient/", round%benchPatients))}})
	return err
}
