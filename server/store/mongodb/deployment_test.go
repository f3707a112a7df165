package mongodb_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestClaimsOnly opens deployments that call themselves a replica set and
// cannot do what one can.
func TestClaimsOnly(t *testing.T) {
	for _, c := range []struct {
		name, command string
		fault         fault
	}{
		{"no transactions", "findAndModify store start", fault{code: 20}},
		{"no commits", "commitTransaction", fault{code: 303}},
		{"no snapshot reads", "find store snapshot", fault{code: 72}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rs := newReplicaSet(t)
			rs.setFault(func(line string) *fault {
				if strings.HasPrefix(line, c.command) {
					return &c.fault
				}
				return nil
			})
			o := mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}, Database: "kaigofhir-test-" + rand.Text()}
			t.Cleanup(func() { drop(t, o) })
			if _, err := mongodb.Open(t.Context(), o); !errors.Is(err, mongodb.ErrNoTransactions) || !strings.Contains(err.Error(), "injected") {
				t.Errorf("Open: %v", err)
			}
			o.SingleWrites = true
			e, err := mongodb.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			apply(t, e, put("1", "x"))
			if st, err := e.Status(t.Context()); err != nil || !st.SingleWrites || st.Seq != 1 {
				t.Errorf("status %+v, %v", st, err)
			}
		})
	}
}

// TestFailoverAtTheStart repeats the trial, as any transaction.
func TestFailoverAtTheStart(t *testing.T) {
	rs := newReplicaSet(t)
	left := 2
	rs.setFault(func(line string) *fault {
		if left == 0 || !strings.HasPrefix(line, "findAndModify") {
			return nil
		}
		left--
		return &fault{code: 189, labels: []string{"TransientTransactionError"}}
	})
	e := openTest(t, mongodb.Options{URI: rs.uri})
	defer e.Close()
	if left != 0 || !e.Transactions() {
		t.Errorf("%d faults are left, transactions: %v", left, e.Transactions())
	}
}

// TestLostSnapshot lets the deployment lose the snapshot of a page before and
// after its first command: the page is read again.
func TestLostSnapshot(t *testing.T) {
	for _, command := range []string{"find store", "find versions", "aggregate versions"} {
		for _, code := range []int32{239, 246, 257} {
			rs, e := openSet(t)
			for range 3 {
				apply(t, e, put("1", "x"), put("2", "x"))
			}
			left := 2
			rs.setFault(func(line string) *fault {
				if left == 0 || !strings.HasPrefix(line, command) {
					return nil
				}
				left--
				return &fault{code: code}
			})
			if got := pages(t, e, patients{"1", "2"}, nil); !slices.Equal(got, []string{"total 2 1 2 "}) || left != 0 {
				t.Errorf("%s answered %d: %v, %d faults left", command, code, got, left)
			}
		}
	}
}

// TestLostConnection reads again after one lost connection, and reports two.
// The driver does so itself only where the deployment has sessions.
func TestLostConnection(t *testing.T) {
	_, e := openSet(t)
	for _, label := range []string{"NetworkError", "TransientTransactionError"} {
		lost := mongo.CommandError{Message: "injected", Labels: []string{label}}
		for faults, want := range []error{nil, nil, lost} {
			calls := 0
			err := e.Reading(t.Context(), func() error {
				if calls++; calls <= faults {
					return lost
				}
				return nil
			})
			if (err == nil) != (want == nil) || calls != min(faults+1, 2) {
				t.Errorf("%s, %d faults: %v after %d calls", label, faults, err, calls)
			}
		}
	}
	refused := mongo.CommandError{Code: 13, Message: "injected"}
	if err := e.Reading(t.Context(), func() error { return refused }); err == nil {
		t.Error("another error was lost")
	}
}

// TestReadsAreNotBehindPages reads by id at or after the moment of a page.
func TestReadsAreNotBehindPages(t *testing.T) {
	rs := newReplicaSet(t)
	o := mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}, Database: "kaigofhir-test-" + rand.Text()}
	writer, reader := openAgain(t, o), openAgain(t, o)
	defer writer.Close()
	defer reader.Close()
	apply(t, writer, put("1", "x"))
	wantCodes(t, reader, "x", 0, "1@1")
	at := rs.clock.Load()
	if _, err := reader.Read(t.Context(), store.Key{Type: "Patient", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if after := rs.after.Load(); after != at {
		t.Errorf("the read asks for time %d or later, the page was read at %d", after, at)
	}
}

func TestTooLarge(t *testing.T) {
	_, e := openSet(t)
	noise := make([]byte, 17<<20)
	_, _ = rand.Read(noise)
	big := func(json []byte, keys int) store.Write {
		w := put("big", "x")
		w.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) {
			list := make([][]byte, keys)
			for i := range list {
				list[i] = []byte{byte(i >> 16), byte(i >> 8), byte(i)}
			}
			return json, list, nil
		}
		return w
	}
	for name, w := range map[string]store.Write{
		"content": big(noise, 1), "keys": big([]byte("{}"), 100_001), "both": big(noise[:15<<20], 80_000),
	} {
		if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("1", "x"), w}}); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantCodes(t, e, "x", 0)
	apply(t, e, big(noise[:15<<20], 1000))
}

func TestFormats(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}, Database: "kaigofhir-test-format"}
	e := openAgain(t, o)
	defer e.Close()
	apply(t, e, put("1", "x"))
	db := connect(t, o.URI).Database(o.Database)
	set := func(format int, more ...bson.E) {
		t.Helper()
		update := append(bson.D{{Key: "$set", Value: bson.M{"format": format}}}, more...)
		if _, err := db.Collection("store").UpdateOne(t.Context(), bson.M{"_id": "state"}, update); err != nil {
			t.Fatal(err)
		}
	}

	set(99)
	if _, err := mongodb.Open(t.Context(), o); !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), "newer kaigofhir") {
		t.Errorf("a store of format 99: %v", err)
	}
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("1", "y")}}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a write after another process moved the store on: %v", err)
	}

	set(1, bson.E{Key: "$unset", Value: bson.M{"origin": ""}})
	versions := db.Collection("versions").Indexes()
	if err := versions.DropOne(t.Context(), "times"); err != nil {
		t.Fatal(err)
	}
	old := bson.D{{Key: "createIndexes", Value: "versions"}, {Key: "indexes", Value: bson.A{
		bson.D{{Key: "key", Value: bson.D{{Key: "time", Value: 1}, {Key: "seq", Value: -1}}}, {Key: "name", Value: "time"}},
	}}}
	if err := db.RunCommand(t.Context(), old).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("1", "y")}}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a write on a backup of an older format: %v", err)
	}
	again, err := mongodb.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	st, err := again.Status(t.Context())
	if err != nil || st.Format != 2 || st.Origin == "" {
		t.Errorf("after the migration: %+v, %v", st, err)
	}
	if got := indexNames(t, versions); slices.Contains(got, "time") || !slices.Contains(got, "times") {
		t.Errorf("indexes after the migration: %v", got)
	}
	wantCodes(t, again, "x", 0, "1@1")
	apply(t, again, put("1", "y"))
}

func indexNames(t *testing.T, of mongo.IndexView) []string {
	t.Helper()
	list, err := of.ListSpecifications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range list {
		names = append(names, x.Name)
	}
	return names
}

func TestRefusesCollation(t *testing.T) {
	rs := newReplicaSet(t)
	rs.setOptions("versions", bson.D{{Key: "collation", Value: bson.D{{Key: "locale", Value: "ja"}}}})
	o := mongodb.Options{URI: rs.uri, Database: "kaigofhir-test-collation"}
	t.Cleanup(func() { drop(t, o) })
	if _, err := mongodb.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "collation") {
		t.Errorf("a collection with a collation: %v", err)
	}
}

// TestOrigin: an origin stays, and is another where the collection was made
// anew, as when a dump is restored.
func TestOrigin(t *testing.T) {
	rs := newReplicaSet(t)
	o := mongodb.Options{URI: rs.uri, Database: "kaigofhir-test-origin"}
	origin := func() string {
		t.Helper()
		e, err := mongodb.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		st, err := e.Status(t.Context())
		if err != nil || st.Origin == "" {
			t.Fatalf("origin %q, %v", st.Origin, err)
		}
		return st.Origin
	}
	t.Cleanup(func() { drop(t, o) })
	rs.setNumber("versions", 1)
	first := origin()
	if again := origin(); again != first {
		t.Errorf("origin %s, before %s", again, first)
	}
	rs.setNumber("versions", 2)
	if restored := origin(); restored == first {
		t.Error("a restored collection has the same origin")
	}
}
