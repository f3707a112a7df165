package embedded_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// person is a Patient, whose name has a timeline by code.
func person(m store.Method, id string, codes ...string) store.Write {
	rec := storetest.Record{Name: []string{"n"}, Code: codes}
	return store.Write{Key: store.Key{Type: "Patient", ID: id}, Method: m,
		Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) {
			return []byte(fmt.Sprintf("%q", codes)), storetest.Terms{}.Keys(rec), nil
		}}
}

func fillPersons(t *testing.T, e *embedded.Engine) {
	t.Helper()
	mustApply(t, e, person(store.Create, "1", "b"), person(store.Create, "2", "a", "d"), person(store.Create, "3"))
	mustApply(t, e, person(store.Update, "1", "c"), person(store.Create, "4", "c"), person(store.Create, "5", "", "c\x00"))
	mustApply(t, e, person(store.Delete, "3"), person(store.Create, "6"))
}

// wantOrder reads all pages of two persons each.
func wantOrder(t *testing.T, e *embedded.Engine, descending bool, want string) {
	t.Helper()
	q := search.Query{Types: []string{"Patient"}, Where: []search.Clause{raw("name", "n")}, Must: search.Must{Unrestricted: true}, Count: 2,
		Sort: []search.SortKey{{Param: storetest.Param("code"), Descending: descending}}}
	got := ""
	for {
		page, err := e.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			got += v.ID
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if got != want {
		t.Errorf("descending %v: got %s, want %s", descending, got, want)
	}
}

func TestTimelineOrder(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	fillPersons(t, e)
	wantOrder(t, e, false, "52146")
	wantOrder(t, e, true, "25146")
}

// TestMigrate opens stores of older formats.
func TestMigrate(t *testing.T) {
	const kinds, timelines, groups = 11, 9, 5
	for format, missing := range map[uint64]int{1: kinds + timelines + groups, 2: kinds + groups, 3: groups} {
		t.Run(fmt.Sprint("format ", format), func(t *testing.T) { testMigrate(t, format, missing) })
	}
}

func testMigrate(t *testing.T, format uint64, missing int) {
	opts := embedded.Options{Terms: storetest.Terms{}, FS: vfs.NewMem()}
	e, err := embedded.Open("s", opts)
	if err != nil {
		t.Fatal(err)
	}
	fillPersons(t, e)
	before, err := e.Check(t.Context(), nil)
	if err != nil || !before.Clean() {
		t.Fatal(err, before)
	}
	dropped := e.MakeOlder(format)
	if r, err := e.Check(t.Context(), nil); err != nil || r.Clean() != (format == 3) || dropped != missing {
		t.Fatalf("%v: dropped %d entries, the check found %d problems", err, dropped, r.Found)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = embedded.Open("s", opts); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	after, err := e.Check(t.Context(), nil)
	if err != nil || !after.Clean() || after.Entries != before.Entries {
		t.Errorf("%v: %+v, want %+v", err, after, before)
	}
	wantOrder(t, e, true, "25146")
}

// TestCheckTimelines damages the last entry of a timeline.
func TestCheckTimelines(t *testing.T) {
	for _, at := range []int{0, 1, 8, 9} {
		e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
		fillPersons(t, e)
		e.Damage('i', func(v []byte) []byte { v = append([]byte{}, v...); v[at] ^= 1; return v })
		if r, err := e.Check(t.Context(), nil); err != nil || r.Clean() {
			t.Errorf("byte %d: %v, the damage was not found", at, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMigrateRepeated opens a store with the entries of format 3 that are found in
// other lists now.
func TestMigrateRepeated(t *testing.T) {
	opts := embedded.Options{FS: vfs.NewMem()}
	e, err := embedded.Open("s", opts)
	if err != nil {
		t.Fatal(err)
	}
	keys := [][]byte{
		[]byte("code\x00tw\x00"), []byte("combo-code\x00tx\x00"), []byte("combo-code\x00tw\x00"),
		[]byte("patient\x00r1\x00Patient"), []byte("subject\x00r1\x00Patient"),
	}
	for i := range 3 {
		mustApply(t, e, store.Write{Key: store.Key{Type: "Observation", ID: fmt.Sprint(i)}, Method: store.Create,
			Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) { return []byte("{}"), keys, nil }})
	}
	before, err := e.Check(t.Context(), nil)
	if err != nil || !before.Clean() {
		t.Fatal(err, before)
	}
	if n := e.Repeat("\x04code\x00\xfftw", "\x04combo-code\x00\xfftw"); n != 3 {
		t.Fatalf("%d codes more, want one of each record", n)
	}
	for _, kind := range []string{"\x05", "\x06"} {
		if n := e.Repeat(kind+"patient", kind+"subject"); n != 3 {
			t.Fatalf("%d entries of timelines more, want one of each record", n)
		}
	}
	e.SetFormat(3)
	if r, err := e.Check(t.Context(), nil); err != nil || r.Clean() {
		t.Fatalf("%v: the check found nothing", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = embedded.Open("s", opts); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if r, err := e.Check(t.Context(), nil); err != nil || !r.Clean() || r.Entries != before.Entries {
		t.Errorf("%v: %+v, want %+v", err, r, before)
	}
}
