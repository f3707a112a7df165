package mongodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// trip is an operation whose commands are counted, each of which is one round
// trip to the primary.
type trip struct {
	name string
	do   func(t testing.TB, e *mongodb.Engine, n int) error
	want []string
}

// writing is an operation that applies writes.
func writing(writes func(n int) []store.Write) func(testing.TB, *mongodb.Engine, int) error {
	return func(t testing.TB, e *mongodb.Engine, n int) error {
		_, err := e.Apply(t.Context(), store.Tx{Writes: writes(n)})
		return err
	}
}

// searching is one that searches patients.
func searching(q search.Query) func(testing.TB, *mongodb.Engine, int) error {
	return func(t testing.TB, e *mongodb.Engine, _ int) error {
		if q.Count == 0 {
			q.Count = 20
		}
		q.Types = []string{"Patient"}
		_, err := e.Search(t.Context(), q)
		return err
	}
}

// forty are a transaction of forty resources.
func forty(name string) []store.Write {
	list := make([]store.Write, 40)
	for i := range list {
		list[i] = put(fmt.Sprint(name, "-", i), "x")
	}
	return list
}

var ofX = []search.Clause{{Param: storetest.Param("code"), Values: []search.Value{{Raw: "x"}}}}

// office is a caller who sees what is about two patients.
var office = search.Must{Any: []search.Grant{{Patients: patients{"1", "2"}}}}

// trips are the operations and their commands on a deployment with
// transactions. What is not in this list has no business there: the time of a
// command is that of the network at least, and that of a commit a majority's
// disks.
var trips = []trip{
	{"read", func(t testing.TB, e *mongodb.Engine, _ int) error {
		_, err := e.Read(t.Context(), store.Key{Type: "Patient", ID: "1"})
		return err
	}, []string{"find versions majority after"}},
	{"vread", func(t testing.TB, e *mongodb.Engine, _ int) error {
		_, err := e.ReadVersion(t.Context(), store.Key{Type: "Patient", ID: "1"}, 1)
		return err
	}, []string{"find versions majority after"}},
	{"status", func(t testing.TB, e *mongodb.Engine, _ int) error {
		_, err := e.Status(t.Context())
		return err
	}, []string{"find store snapshot"}},
	{"search", searching(search.Query{Where: ofX, Must: sees}),
		[]string{"find store snapshot", "find versions snapshot"}},
	{"search with total", searching(search.Query{Where: ofX, Must: sees, Total: search.TotalAccurate}),
		[]string{"find store snapshot", "aggregate versions snapshot", "find versions snapshot"}},
	{"search of an office", searching(search.Query{Where: ofX, Must: office}),
		[]string{"find store snapshot", "find versions snapshot"}},
	{"search sorted by a parameter", searching(search.Query{Where: ofX, Must: sees, Sort: []search.SortKey{{Param: storetest.Param("code")}}}),
		[]string{"find store snapshot", "find versions snapshot", "find versions snapshot"}},
	{"history of a resource", func(t testing.TB, e *mongodb.Engine, _ int) error {
		_, err := e.History(t.Context(), store.HistoryQuery{Type: "Patient", ID: "1", Must: sees, Count: 20})
		return err
	}, []string{"find store snapshot", "find versions snapshot"}},
	// One command finds the current versions of all that were superseded.
	{"history of all, of an office", func(t testing.TB, e *mongodb.Engine, _ int) error {
		_, err := e.History(t.Context(), store.HistoryQuery{Must: office, Count: 20})
		return err
	}, []string{"find store snapshot", "find versions snapshot", "find versions snapshot", "find versions snapshot"}},
	{"create", writing(func(n int) []store.Write { return []store.Write{put(fmt.Sprint("new", n), "x")} }),
		[]string{"findAndModify store start in transaction", "find versions in transaction", "insert versions in transaction", "update store in transaction", "commitTransaction in transaction"}},
	{"update", writing(func(int) []store.Write { return []store.Write{put("1", "x")} }),
		[]string{"findAndModify store start in transaction", "find versions in transaction", "insert versions in transaction", "update versions in transaction", "update store in transaction", "commitTransaction in transaction"}},
	{"conditional create", func(t testing.TB, e *mongodb.Engine, n int) error {
		code := fmt.Sprint("once", n)
		none := search.Query{Types: []string{"Patient"}, Must: sees, Count: 1, Where: []search.Clause{{Param: storetest.Param("code"), Values: []search.Value{{Raw: code}}}}}
		_, err := e.Apply(t.Context(), store.Tx{Expect: []store.Expectation{{Query: none}}, Writes: []store.Write{put(code, code)}})
		return err
	}, []string{"findAndModify store start in transaction", "find versions in transaction", "find versions in transaction", "insert versions in transaction", "update store in transaction", "commitTransaction in transaction"}},
	{"transaction of 40 creates", writing(func(n int) []store.Write { return forty(fmt.Sprint("created", n)) }),
		[]string{"findAndModify store start in transaction", "find versions in transaction", "insert versions in transaction", "update store in transaction", "commitTransaction in transaction"}},
	{"transaction of 40 updates", writing(func(int) []store.Write { return forty("updated") }),
		[]string{"findAndModify store start in transaction", "find versions in transaction", "insert versions in transaction", "update versions in transaction", "update store in transaction", "commitTransaction in transaction"}},
	{"changes", func(t testing.TB, e *mongodb.Engine, _ int) error {
		for _, err := range e.Changes(t.Context(), 0) {
			if err != nil {
				return err
			}
		}
		return nil
	}, []string{"find store snapshot", "find versions snapshot"}},
}

// fillForTrips makes what the operations find: forty resources, and two with a
// past.
func fillForTrips(t testing.TB, e *mongodb.Engine) {
	t.Helper()
	for range 5 {
		for _, writes := range [][]store.Write{{put("1", "x")}, {put("2", "x")}} {
			if _, err := e.Apply(t.Context(), store.Tx{Writes: writes}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := e.Apply(t.Context(), store.Tx{Writes: forty("updated")}); err != nil {
		t.Fatal(err)
	}
}

// TestRoundTrips counts the commands of every operation.
func TestRoundTrips(t *testing.T) {
	rs, e := openSet(t)
	fillForTrips(t, e)
	for _, c := range trips {
		t.Run(c.name, func(t *testing.T) {
			rs.commands()
			if err := c.do(t, e, 0); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, rs.commands()); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

// BenchmarkOperations measures the operations on the stand-in: commands/op says
// what they cost on a network, the other numbers say nothing about MongoDB. The
// test server looks through all documents, so few rounds will do:
//
//	go test -run '^$' -bench Operations -benchtime 20x ./server/store/mongodb
func BenchmarkOperations(b *testing.B) {
	rs := newReplicaSet(b)
	for _, c := range trips {
		b.Run(strings.ReplaceAll(c.name, " ", "-"), func(b *testing.B) {
			e := openTest(b, mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}})
			defer e.Close()
			fillForTrips(b, e)
			rs.commands()
			n := 0
			for b.Loop() {
				n++
				if err := c.do(b, e, n); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rs.commands()))/float64(n), "commands/op")
		})
	}
}
