package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

const importWriters = 16

// BenchmarkImport compares transactions through the whole server with what the
// engine takes of the same data, parsed and indexed before, on the same disk;
// and the same for single creates. The aim is half the rate of the engine. Memory
// is collected as in `kaigofhir serve`.
func BenchmarkImport(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	byPerson := indexed(b)
	var single []store.Tx
	for _, tx := range byPerson {
		for _, w := range tx.Writes {
			if w.Key.Type == "Observation" {
				single = append(single, store.Tx{Writes: []store.Write{w}})
			}
		}
	}
	b.Run("transactions/server", func(b *testing.B) {
		bodies := make([]string, len(byPerson))
		for i := range bodies {
			bodies[i] = benchData.Transaction(i)
		}
		throughServer(b, len(byPerson), len(byPerson)*len(byPerson[0].Writes), func(*servertest.Server) {}, func(srv *servertest.Server, i int) {
			call(b, srv, "POST", "", bodies[i], http.StatusOK)
		})
	})
	b.Run("transactions/engine", func(b *testing.B) { throughEngine(b, byPerson, len(byPerson)*len(byPerson[0].Writes)) })
	b.Run("creates/server", func(b *testing.B) {
		people := func(srv *servertest.Server) {
			for n := range benchData.Patients {
				call(b, srv, "PUT", "Patient/"+benchData.PatientID(n), benchData.Patient(n), http.StatusCreated)
			}
		}
		bodies := make([]string, len(single))
		for i := range bodies {
			bodies[i] = benchData.Observation(i%benchData.Patients, i)
		}
		throughServer(b, len(single), len(single), people, func(srv *servertest.Server, i int) {
			call(b, srv, "POST", "Observation", bodies[i], http.StatusCreated)
		})
	})
	b.Run("creates/engine", func(b *testing.B) { throughEngine(b, single, len(single)) })
}

// indexed returns the transactions as the engine gets them from the server.
func indexed(b *testing.B) []store.Tx {
	srv := benchServer(b)
	page, err := srv.Store.Search(b.Context(), search.Query{Types: []string{"Patient", "Observation"},
		Must: search.Must{Unrestricted: true}, Count: 1_000_000, Keys: true})
	if err != nil {
		b.Fatal(err)
	}
	byID := map[string]store.Write{}
	for _, v := range page.Versions {
		byID[v.ID] = store.Write{Key: v.Key, Method: store.Create, Labels: v.Labels, IfVersion: new(uint64),
			Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) { return v.JSON, v.Keys, nil }}
	}
	var out []store.Tx
	for n := range benchData.Patients {
		tx := store.Tx{Writes: []store.Write{byID[benchData.PatientID(n)]}}
		for k := range benchData.Observations {
			tx.Writes = append(tx.Writes, byID[benchData.ObservationID(n, k)])
		}
		out = append(out, tx)
	}
	return out
}

// checked are the options of `kaigofhir serve`.
func checked(c *server.Config) { c.Options.ClientIDs, c.Options.CheckReferences = true, true }

func onDisk(b *testing.B) *embedded.Engine {
	e, err := embedded.Open(b.TempDir(), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func throughServer(b *testing.B, n, resources int, before func(srv *servertest.Server), send func(srv *servertest.Server, i int)) {
	for b.Loop() {
		b.StopTimer()
		e := onDisk(b)
		srv := servertest.StartOn(b, e, servertest.NewClock(), servertest.Open, checked)
		before(srv)
		b.StartTimer()
		share(n, func(i int) { send(srv, i) })
		b.StopTimer()
		if err := errors.Join(srv.Server.Close(), e.Close()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*resources)/b.Elapsed().Seconds(), "resources/s")
}

func throughEngine(b *testing.B, txs []store.Tx, resources int) {
	for b.Loop() {
		b.StopTimer()
		e := onDisk(b)
		b.StartTimer()
		share(len(txs), func(i int) {
			if _, err := e.Apply(context.Background(), txs[i]); err != nil {
				b.Error(fmt.Errorf("transaction %d: %w", i, err))
			}
		})
		b.StopTimer()
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*resources)/b.Elapsed().Seconds(), "resources/s")
}

// share has importWriters goroutines do n things.
func share(n int, do func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range importWriters {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
}
