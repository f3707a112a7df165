package mongodb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestKitTransactions runs the whole kit with the commands of transactions, on
// a stand-in for a replica set.
func TestKitTransactions(t *testing.T) {
	rs := newReplicaSet(t)
	o := mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}}
	storetest.RunSynthetic(t, func(t *testing.T) store.Store { return openTest(t, o) })
}

func openSet(t *testing.T) (*replicaSet, *mongodb.Engine) {
	t.Helper()
	rs := newReplicaSet(t)
	e := openTest(t, mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}})
	t.Cleanup(func() { _ = e.Close() })
	rs.commands()
	return rs, e
}

func TestCommandsOfATransaction(t *testing.T) {
	rs, e := openSet(t)
	if !e.Transactions() {
		t.Error("the engine sees no transactions")
	}
	apply(t, e, put("1", "x"))
	rs.commands()
	apply(t, e, put("1", "x"), put("2", "x"))
	want := []string{
		"findAndModify store start in transaction",
		"find versions in transaction",
		"insert versions in transaction",
		"update versions in transaction",
		"update store in transaction",
		"commitTransaction in transaction",
	}
	if diff := cmp.Diff(want, rs.commands()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if _, err := e.Read(t.Context(), store.Key{Type: "Patient", ID: "1"}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"find versions majority after"}, rs.commands()); diff != "" {
		t.Errorf("commands of a read (-want +got):\n%s", diff)
	}
	wantCodes(t, e, "x", 0, "1@2", "2@1")
	if diff := cmp.Diff([]string{"find store snapshot", "find versions snapshot"}, rs.commands()); diff != "" {
		t.Errorf("commands of a search (-want +got):\n%s", diff)
	}
}

// TestRefusalsAreCommitted checks that a refusal rests on what a majority has,
// and that a Stamp that fails leaves nothing.
func TestRefusalsAreCommitted(t *testing.T) {
	rs, e := openSet(t)
	apply(t, e, put("1", "x"))
	rs.commands()
	w, seven := put("1", "x"), uint64(7)
	w.IfVersion = &seven
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{w}}); !errors.Is(err, store.ErrPrecondition) {
		t.Errorf("an old version: %v", err)
	}
	if got := rs.commands(); got[len(got)-1] != "commitTransaction in transaction" {
		t.Errorf("a refusal ends with %q", got)
	}
	broken, w := errors.New("stamp"), put("2", "x")
	w.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) { return nil, nil, broken }
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("3", "x"), w}}); !errors.Is(err, broken) {
		t.Errorf("a failing stamp: %v", err)
	}
	if got := rs.commands(); len(got) != 3 {
		t.Errorf("a failing stamp writes: %q", got)
	}
	wantCodes(t, e, "x", 0, "1@1")
}

// TestFaults injects the errors of a failover at every command of a
// transaction: it is repeated, its stamps are called once, and it takes effect
// once.
func TestFaults(t *testing.T) {
	transient := []string{"TransientTransactionError"}
	unknown := []string{"RetryableWriteError", "UnknownTransactionCommitResult"}
	for _, c := range []struct {
		name    string
		command string
		fault   fault
		times   int
		starts  int // how often the transaction is begun
	}{
		{"conflict on the state", "findAndModify", fault{code: 112, labels: transient}, 3, 4},
		{"failover while reading", "find ", fault{code: 189, labels: transient}, 1, 2},
		{"failover while inserting", "insert", fault{code: 189, labels: transient}, 2, 3},
		{"failover while ending versions", "update versions", fault{code: 189, labels: transient}, 1, 2},
		{"failover while moving the state", "update store", fault{code: 189, labels: transient}, 1, 2},
		{"failover before the commit", "commitTransaction", fault{code: 251, labels: transient}, 1, 2},
		{"commit not carried out, unknown", "commitTransaction", fault{code: 91, labels: unknown}, 3, 1},
		{"commit carried out, unknown", "commitTransaction", fault{late: true, code: 91, labels: unknown}, 3, 1},
		{"commit carried out, no majority in time", "commitTransaction", fault{late: true, code: 64, labels: []string{"UnknownTransactionCommitResult"}}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			rs, e := openSet(t)
			apply(t, e, put("1", "x"))
			rs.commands()
			left := c.times
			rs.setFault(func(line string) *fault {
				if left == 0 || !strings.HasPrefix(line, c.command) {
					return nil
				}
				left--
				return &c.fault
			})
			stamps := 0
			w := put("1", "x")
			stamp := w.Stamp
			w.Stamp = func(v uint64, at time.Time) ([]byte, [][]byte, error) { stamps++; return stamp(v, at) }
			r := apply(t, e, w, put("2", "x"))
			if left != 0 {
				t.Fatalf("%d faults were never met", left)
			}
			if r.Seq != 2 || r.Versions[0].Version != 2 || stamps != 1 {
				t.Errorf("receipt %d, version %d, %d stamps", r.Seq, r.Versions[0].Version, stamps)
			}
			starts := 0
			for _, line := range rs.commands() {
				if strings.Contains(line, "start") {
					starts++
				}
			}
			if starts != c.starts {
				t.Errorf("the transaction was begun %d times, want %d", starts, c.starts)
			}
			rs.setFault(nil)
			wantCodes(t, e, "x", 0, "1@2", "2@1")
			if st, err := e.Status(t.Context()); err != nil || st.Seq != 2 || st.Versions != 3 || st.Resources != 2 {
				t.Errorf("status %+v, %v", st, err)
			}
		})
	}
}

// TestFailureIsTold checks that an error without a label ends the attempt.
func TestFailureIsTold(t *testing.T) {
	rs, e := openSet(t)
	rs.setFault(func(line string) *fault {
		if strings.HasPrefix(line, "insert") {
			return &fault{code: 11600}
		}
		return nil
	})
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("1", "x")}}); err == nil {
		t.Error("an insert that failed was acknowledged")
	}
	rs.setFault(nil)
	wantCodes(t, e, "x", 0)
	apply(t, e, put("1", "x"))
	wantCodes(t, e, "x", 0, "1@1")
}

// TestTwoProcesses lets two engines write the same store: conflicts between
// them are settled by repetition, and no sequence number is lost or given
// twice.
func TestTwoProcesses(t *testing.T) {
	rs := newReplicaSet(t)
	o := mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}}
	o.Database = "kaigofhir-test-two"
	engines := []*mongodb.Engine{openAgain(t, o), openAgain(t, o)}
	defer engines[0].Close()
	defer engines[1].Close()
	const each = 15
	var wg sync.WaitGroup
	var created atomic.Int64
	for n, e := range engines {
		for i := range each {
			wg.Go(func() {
				if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("same", "x")}}); err != nil {
					t.Errorf("update: %v", err)
				}
				p := &search.Parameter{SearchParameter: &r4.SearchParameter{Code: "code"}}
				only := search.Query{Types: []string{"Patient"}, Must: sees, Count: 1, Where: []search.Clause{{Param: p, Values: []search.Value{{Raw: "one"}}}}}
				_, err := e.Apply(t.Context(), store.Tx{Expect: []store.Expectation{{Query: only}}, Writes: []store.Write{put(fmt.Sprint(n, "-", i), "one")}})
				if err == nil {
					created.Add(1)
				} else if !errors.Is(err, store.ErrPrecondition) {
					t.Errorf("conditional create: %v", err)
				}
			})
		}
	}
	wg.Wait()
	if created.Load() != 1 {
		t.Errorf("%d conditional creates won", created.Load())
	}
	wantCodes(t, engines[0], "x", 0, fmt.Sprint("same@", 2*each))
	var seqs []uint64
	for v, err := range engines[1].Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, v.Seq)
	}
	if len(seqs) != 2*each+1 || !slices.IsSorted(seqs) || seqs[len(seqs)-1] != uint64(len(seqs)) {
		t.Errorf("sequence numbers %v", seqs)
	}
}

// TestFollowByStream lets a change stream wake the reader, long before it
// would look by itself.
func TestFollowByStream(t *testing.T) {
	rs := newReplicaSet(t)
	e := openTest(t, mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}, PollEvery: 20 * time.Second})
	defer e.Close()
	apply(t, e, put("1", "x"))
	rs.commands()
	n := 0
	begun := time.Now()
	for v, err := range e.Follow(t.Context(), 0) {
		if n++; err != nil || v.Seq != uint64(n) {
			t.Fatalf("change %d: seq %d, %v", n, v.Seq, err)
		}
		if n == 4 {
			break
		}
		apply(t, e, put("1", "x"))
	}
	if time.Since(begun) > 20*time.Second || !slices.ContainsFunc(rs.commands(), func(s string) bool { return strings.HasPrefix(s, "aggregate store") }) {
		t.Error("no change stream was used")
	}
}
