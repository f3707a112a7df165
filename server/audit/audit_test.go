package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

var errDisk = errors.New("no space left")

// failing is a store whose Apply can be made to fail, before or after writing.
type failing struct {
	store.Store
	before, after atomic.Bool
	applied       atomic.Int64
}

func (f *failing) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	if f.before.Load() {
		return store.Receipt{}, errDisk
	}
	f.applied.Add(1)
	r, err := f.Store.Apply(ctx, tx)
	if f.after.Load() && err == nil {
		return store.Receipt{}, errDisk
	}
	return r, err
}

func openStore(t testing.TB) *failing {
	t.Helper()
	st, err := embedded.OpenMemory(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return &failing{Store: st}
}

var ids atomic.Int64

func open(t testing.TB, st store.Store, change ...func(*Config)) *Log {
	t.Helper()
	cfg := Config{Store: st, Index: func(*fhir.Element) ([][]byte, error) { return nil, nil },
		Now: time.Now, NewID: func() string { return fmt.Sprint("a", ids.Add(1)) }, Lanes: 4, Interval: time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	l, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // tests that care close it themselves
	return l
}

func event(patient string) Event {
	return Event{Time: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Request: "req-1", Interaction: "read", Type: "CarePlan", Patient: patient,
		Caller: policy.Caller{Client: "c", Kind: policy.CareOffice, Organization: "office"},
		What:   []Reference{{store.Key{Type: "CarePlan", ID: "1"}, 3}}, Rules: []string{"R5"}}
}

func closeLog(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, st store.Store, earlier ...Head) Report {
	t.Helper()
	r, err := Verify(t.Context(), st, earlier...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// resource is a write of some other resource.
func resource(id string) store.Write {
	return store.Write{Key: store.Key{Type: "Basic", ID: id}, Method: store.Create,
		Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) {
			return []byte(`{"resourceType":"Basic","id":"` + id + `"}`), nil, nil
		}}
}

func TestManyAccessesMakeSoundChains(t *testing.T) {
	st := openStore(t)
	for round := range 3 { // each goes on where the one before ended
		l := open(t, st, func(c *Config) { c.Wait = round == 1 })
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 20 {
					if err := l.Record(t.Context(), event("p")); err != nil {
						t.Error(err)
					}
					writes, done, err := l.Join(t.Context(), event("p"), event("q"))
					if err != nil {
						t.Error(err)
						return
					}
					_, err = st.Apply(t.Context(), store.Tx{Writes: append(writes, resource(fmt.Sprint(round, "-", g, "-", i)))})
					done(err)
				}
			})
		}
		wg.Wait()
		closeLog(t, l)
	}
	r := verify(t, st)
	if !r.Sound() || r.Entries != 3*8*20*3 {
		t.Errorf("%d entries, problems %q", r.Entries, r.Problems)
	}
	if groups := st.applied.Load() - 3*8*20; groups >= 3*8*20 {
		t.Errorf("%d transactions for %d recorded reads: they are not grouped", groups, 3*8*20)
	}
}

func TestFailedWritesLeaveNoTrace(t *testing.T) {
	st := openStore(t)
	l := open(t, st)
	for i := range 20 {
		writes, done, err := l.Join(t.Context(), event("p"))
		if err != nil {
			t.Fatal(err)
		}
		first := resource("same") // collides from the second time on
		_, err = st.Apply(t.Context(), store.Tx{Writes: append(writes, first)})
		if (err != nil) != (i > 0) {
			t.Fatalf("round %d: %v", i, err)
		}
		done(err)
	}
	closeLog(t, l)
	if r := verify(t, st); !r.Sound() || r.Entries != 1 {
		t.Errorf("%d entries, problems %q", r.Entries, r.Problems)
	}
}

// A transaction that was written although Apply failed must not fork its lane.
func TestUncertainWriteDoesNotFork(t *testing.T) {
	st := openStore(t)
	l := open(t, st, func(c *Config) { c.Lanes = 1 })
	for i := range 3 {
		writes, done, err := l.Join(t.Context(), event("p"))
		if err != nil {
			t.Fatal(err)
		}
		st.after.Store(i == 1)
		_, err = st.Apply(t.Context(), store.Tx{Writes: writes})
		st.after.Store(false)
		done(err)
	}
	closeLog(t, l)
	if r := verify(t, st); !r.Sound() || r.Entries != 3 {
		t.Errorf("%d entries, problems %q", r.Entries, r.Problems)
	}
}

func TestRecordFailsWhenItCannotBeKept(t *testing.T) {
	for _, wait := range []bool{true, false} {
		st := openStore(t)
		l := open(t, st, func(c *Config) { c.Wait = wait })
		st.before.Store(true)
		var err error
		for range 1000 {
			if err = l.Record(t.Context(), event("p")); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if !errors.Is(err, errDisk) {
			t.Errorf("wait %t: Record said %v", wait, err)
		}
		if _, _, err := l.Join(t.Context(), event("p")); !errors.Is(err, errDisk) {
			t.Errorf("wait %t: Join said %v", wait, err)
		}
		st.before.Store(false)
		closeLog(t, waitForHealth(t, l))
		if r := verify(t, st); !r.Sound() || r.Entries == 0 {
			t.Errorf("wait %t: %d entries, problems %q", wait, r.Entries, r.Problems)
		}
		if err := l.Record(t.Context(), event("p")); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func waitForHealth(t *testing.T, l *Log) *Log {
	t.Helper()
	for range 1000 {
		if l.failure() == nil {
			return l
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the log does not recover")
	return nil
}

func TestTamperingShows(t *testing.T) {
	build := func(t *testing.T) (*failing, []store.Version) {
		st := openStore(t)
		l := open(t, st, func(c *Config) { c.Lanes = 1 })
		for range 5 {
			if err := l.Record(t.Context(), event("p")); err != nil {
				t.Fatal(err)
			}
		}
		closeLog(t, l)
		page, err := st.History(t.Context(), store.HistoryQuery{Type: "AuditEvent", Must: search.Must{Unrestricted: true}, Count: 10, Ascending: true})
		if err != nil || len(page.Versions) != 5 {
			t.Fatalf("%d entries, %v", len(page.Versions), err)
		}
		ordered := make([]store.Version, 5)
		for _, v := range page.Versions {
			r, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, _ := placeOf(r)
			ordered[p.entry-1] = v
		}
		return st, ordered
	}
	tests := []struct {
		name   string
		tamper func(v []store.Version) []store.Version
		says   string
	}{
		{"nothing", func(v []store.Version) []store.Version { return v }, ""},
		{"a reference changed", func(v []store.Version) []store.Version {
			v[2].JSON = []byte(strings.Replace(string(v[2].JSON), "CarePlan/1", "CarePlan/2", 1))
			return v
		}, "does not hold the hash"},
		{"an entry removed", func(v []store.Version) []store.Version { return append(v[:2:2], v[3:]...) }, "lacks the entries 3"},
		{"two entries swapped", func(v []store.Version) []store.Version {
			v[1].JSON, v[2].JSON = v[2].JSON, v[1].JSON
			return v
		}, "holds another entry"},
		{"another order of storage", func(v []store.Version) []store.Version { v[1], v[2] = v[2], v[1]; return v }, ""},
		{"an entry doubled", func(v []store.Version) []store.Version { return append(v, v[1]) }, "two entries"},
		{"an entry deleted", func(v []store.Version) []store.Version {
			gone := v[4]
			gone.Method = store.Delete
			return append(v, gone)
		}, "was deleted"},
		{"an entry updated", func(v []store.Version) []store.Version { v[3].Version = 2; return v }, "was changed"},
		{"the end cut off", func(v []store.Version) []store.Version { return v[:3] }, "no longer holds its entry 5"},
		{"unreadable", func(v []store.Version) []store.Version { v[0].JSON = []byte("{"); return v }, "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st, versions := build(t)
			heads := verify(t, st).Heads
			r := verify(t, &versionList{versions: tt.tamper(versions)}, heads...)
			found := strings.Join(r.Problems, "; ")
			if (tt.says == "") != r.Sound() || !strings.Contains(found, tt.says) {
				t.Errorf("problems %q, want %q", found, tt.says)
			}
		})
	}
}

// versionList is a store with a history and nothing else.
type versionList struct {
	store.Store
	versions []store.Version
}

func (v *versionList) History(context.Context, store.HistoryQuery) (store.Page, error) {
	return store.Page{Versions: v.versions}, nil
}

func TestEventHoldsReferencesOnly(t *testing.T) {
	refused := event("p")
	refused.Refusal, refused.What, refused.Parameters = "R6", nil, []string{"name"}
	tests := []struct {
		name  string
		event Event
		has   []string
		not   []string
	}{
		{"allowed", event("p"), []string{`"outcome":"0"`, `"CarePlan/1/_history/3"`, `"Patient/p"`, `"Organization/office"`, `"valueString":"R5"`, `"action":"R"`}, nil},
		{"refused", refused, []string{`"outcome":"4"`, `"outcomeDesc":"R6"`, `"valueString":"name"`}, []string{"_history"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := string(fhirjson.Append(nil, tt.event.resource("x")))
			for _, want := range tt.has {
				if !strings.Contains(text, want) {
					t.Errorf("lacks %s: %s", want, text)
				}
			}
			for _, bad := range tt.not {
				if strings.Contains(text, bad) {
					t.Errorf("holds %s: %s", bad, text)
				}
			}
		})
	}
}

func TestLabelsLetOnlyThePersonSee(t *testing.T) {
	st := openStore(t)
	l := open(t, st, func(c *Config) { c.Wait = true })
	if err := l.Record(t.Context(), event("p"), event("")); err != nil {
		t.Fatal(err)
	}
	page, err := st.History(t.Context(), store.HistoryQuery{Type: "AuditEvent", Must: search.Must{Unrestricted: true}, Count: 10})
	if err != nil {
		t.Fatal(err)
	}
	about := 0
	for _, v := range page.Versions {
		if v.Labels.Author != "" || v.Labels.Form != "" {
			t.Errorf("labels %+v", v.Labels)
		}
		about += len(v.Labels.Patients)
	}
	if len(page.Versions) != 2 || about != 1 {
		t.Errorf("%d entries with %d patients", len(page.Versions), about)
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, wait := range []bool{false, true} {
		b.Run(fmt.Sprintf("wait=%t", wait), func(b *testing.B) {
			st, err := embedded.Open(b.TempDir(), embedded.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer st.Close()
			l := open(b, st, func(c *Config) { c.Wait = wait })
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := l.Record(b.Context(), event("p")); err != nil {
						b.Error(err)
					}
				}
			})
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
