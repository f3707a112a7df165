package mongodb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// put is a write of a resource with one index key.
func put(id, code string) store.Write {
	return store.Write{
		Key: store.Key{Type: "Patient", ID: id}, Method: store.Update,
		Labels: search.Labels{Patients: []string{id}},
		Stamp: func(version uint64, at time.Time) ([]byte, [][]byte, error) {
			b, err := json.Marshal(map[string]any{"resourceType": "Patient", "id": id, "version": version})
			return b, storetest.Terms{}.Keys(storetest.Record{Code: []string{code}}), err
		},
	}
}

func apply(t *testing.T, e store.Store, writes ...store.Write) store.Receipt {
	t.Helper()
	r, err := e.Apply(t.Context(), store.Tx{Writes: writes})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var sees = search.Must{Unrestricted: true}

func codes(t *testing.T, e store.Store, code string, asOf uint64) ([]string, error) {
	t.Helper()
	p := &search.Parameter{SearchParameter: &r4.SearchParameter{Code: "code"}}
	page, err := e.Search(t.Context(), search.Query{
		Types: []string{"Patient"}, Must: sees, Count: 10, AsOf: asOf,
		Where: []search.Clause{{Param: p, Values: []search.Value{{Raw: code}}}},
	})
	var out []string
	for _, v := range page.Versions {
		out = append(out, fmt.Sprintf("%s@%d", v.ID, v.Version))
	}
	return out, err
}

func wantCodes(t *testing.T, e store.Store, code string, asOf uint64, want ...string) {
	t.Helper()
	got, err := codes(t, e, code, asOf)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s as of %d: %v, %v, want %v", code, asOf, got, err, want)
	}
}

func TestRefusesDeploymentWithoutTransactions(t *testing.T) {
	_, err := mongodb.Open(t.Context(), mongodb.Options{URI: plainServer(t)})
	if !errors.Is(err, mongodb.ErrNoTransactions) {
		t.Errorf("Open: %v", err)
	}
}

func TestSingleWrites(t *testing.T) {
	e := openTest(t, mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}})
	defer e.Close()
	before, err := e.Status(t.Context())
	if err != nil || !before.SingleWrites || e.Transactions() {
		t.Errorf("status %+v, %v", before, err)
	}
	_, err = e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("1", "x"), put("2", "x")}})
	if !errors.Is(err, store.ErrUnsupported) {
		t.Errorf("two writes: %v", err)
	}
	if after, _ := e.Status(t.Context()); after != before {
		t.Errorf("two refused writes left %+v, before %+v", after, before)
	}
}

// TestUnfinishedWrite leaves what a process leaves that died between its write
// and its last update: it is never seen, and the next write removes it.
func TestUnfinishedWrite(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}}
	o.Database = "kaigofhir-test-unfinished"
	e := openAgain(t, o)
	defer e.Close()
	apply(t, e, put("1", "x"))
	db := connect(t, o.URI).Database(o.Database)
	leave(t, db)

	wantCodes(t, e, "x", 0, "1@1")
	wantCodes(t, e, "half", 0)
	if v, err := e.Read(t.Context(), store.Key{Type: "Patient", ID: "1"}); err != nil || v.Version != 1 {
		t.Errorf("read %d, %v", v.Version, err)
	}
	if _, err := e.ReadVersion(t.Context(), store.Key{Type: "Patient", ID: "1"}, 2); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the unfinished version: %v", err)
	}
	if r := apply(t, e, put("2", "x")); r.Seq != 2 {
		t.Errorf("seq %d", r.Seq)
	}
	wantCodes(t, e, "x", 0, "2@1", "1@1")
	wantCodes(t, e, "half", 0)
	if n, err := db.Collection("versions").CountDocuments(t.Context(), bson.D{}); n != 2 || err != nil {
		t.Errorf("%d versions are left, %v", n, err)
	}
}

// leave writes half a version 2 of Patient/1 and a lock that has expired.
func leave(t *testing.T, db *mongo.Database) {
	t.Helper()
	versions := db.Collection("versions")
	var half bson.M
	if err := versions.FindOne(t.Context(), bson.M{"_id": "Patient/1/1"}).Decode(&half); err != nil {
		t.Fatal(err)
	}
	half["_id"], half["version"], half["seq"] = "Patient/1/2", int64(2), int64(2)
	half["keys"] = []string{mongodb.Text(storetest.Terms{}.Keys(storetest.Record{Code: []string{"half"}})[0])}
	_, err1 := versions.InsertOne(t.Context(), half)
	_, err2 := versions.UpdateOne(t.Context(), bson.M{"_id": "Patient/1/1"}, bson.M{"$set": bson.M{"end": int64(2)}})
	_, err3 := db.Collection("store").UpdateOne(t.Context(), bson.M{"_id": "state"},
		bson.M{"$set": bson.M{"lock": bson.M{"token": "dead", "until": bson.NewDateTimeFromTime(time.Now().Add(-time.Second))}}})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
}

// TestLockIsWaitedFor holds the lock for a moment while another process writes.
func TestLockIsWaitedFor(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}}
	o.Database = "kaigofhir-test-lock"
	e := openAgain(t, o)
	defer e.Close()
	held := time.Now().Add(150 * time.Millisecond)
	_, err := connect(t, o.URI).Database(o.Database).Collection("store").UpdateOne(t.Context(), bson.M{"_id": "state"},
		bson.M{"$set": bson.M{"lock": bson.M{"token": "alive", "until": bson.NewDateTimeFromTime(held)}}})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, e, put("1", "x"))
	if time.Now().Before(held) {
		t.Error("a write went past the lock of another process")
	}
}

// TestSweep lets a snapshot expire and drops index keys no reader needs.
func TestSweep(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}}
	o.Database = "kaigofhir-test-sweep"
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { now = now.Add(time.Second); return now }
	e := openAgain(t, o)
	defer e.Close()
	old := apply(t, e, put("1", "old"))
	kept := apply(t, e, put("1", "new"))
	last := apply(t, e, put("1", "newer"))
	if err := e.Sweep(t.Context(), kept.Versions[0].Time); err != nil {
		t.Fatal(err)
	}
	if _, err := codes(t, e, "old", old.Seq); !errors.Is(err, store.ErrExpired) {
		t.Errorf("the snapshot before the horizon: %v", err)
	}
	wantCodes(t, e, "old", kept.Seq)
	wantCodes(t, e, "new", kept.Seq, "1@2")
	wantCodes(t, e, "newer", last.Seq, "1@3")
	n, err := connect(t, o.URI).Database(o.Database).Collection("versions").CountDocuments(t.Context(), bson.M{"keys": bson.M{"$exists": true}})
	if err != nil || n != 2 {
		t.Errorf("%d versions have keys, %v", n, err)
	}
	if v, err := e.ReadVersion(t.Context(), store.Key{Type: "Patient", ID: "1"}, 1); err != nil || len(v.JSON) == 0 {
		t.Errorf("the old version: %+v, %v", v, err)
	}
}

func TestFollow(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}, PollEvery: 5 * time.Millisecond}
	e := openTest(t, o)
	defer e.Close()
	apply(t, e, put("1", "x"))
	n := 0
	for v, err := range e.Follow(t.Context(), 0) {
		if n++; err != nil || v.Seq != uint64(n) {
			t.Fatalf("change %d: seq %d, %v", n, v.Seq, err)
		}
		if n == 4 {
			return
		}
		apply(t, e, put("1", "x"))
	}
	t.Error("Follow ended")
}

// TestPlans asks a real server how it would answer: common searches must be
// scans of an index. The test server cannot tell.
func TestPlans(t *testing.T) {
	e := openTest(t, mongodb.Options{URI: realServer(t)})
	defer e.Close()
	r, err := search.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, typ, query, index string }{
		{"patient and code", "Observation", "patient=Patient/1&code=http://loinc.org|8480-6", "term"},
		{"patient and code by date", "Observation", "patient=Patient/1&code=8480-6&_sort=-date", "term"},
		{"identifier", "Patient", "identifier=urn:x|123", "term"},
		{"name prefix", "Patient", "name=yama", "term"},
		{"newest of a type", "Patient", "", "all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := r.Parse(c.typ, c.query)
			if err != nil {
				t.Fatal(err)
			}
			q.Query.Must, q.Query.Types, q.Query.Count = sees, []string{c.typ}, 20
			plan, err := e.Explain(t.Context(), q.Query)
			if err != nil || !strings.Contains(plan, "IXSCAN") || !strings.Contains(plan, fmt.Sprintf("%q", c.index)) || strings.Contains(plan, "COLLSCAN") {
				t.Errorf("%s: %v", plan, err)
			}
		})
	}
}
