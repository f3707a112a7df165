package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// entries waits until the record holds n entries and returns them.
func entries(t *testing.T, srv *servertest.Server, want func([]store.Version) bool) []store.Version {
	t.Helper()
	for range 500 {
		page, err := srv.Store.History(t.Context(), store.HistoryQuery{Type: "AuditEvent", Must: search.Must{Unrestricted: true}, Count: 10_000, Ascending: true})
		if err != nil {
			t.Fatal(err)
		}
		if want(page.Versions) {
			return page.Versions
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the record does not hold what it should")
	return nil
}

// TestThePersonSeesWhoLooked plays a refused and an allowed read of a person's
// care plan through the API.
func TestThePersonSeesWhoLooked(t *testing.T) {
	srv := servertest.Start(t)
	for _, o := range []string{"insurer", "care-manager"} {
		srv.Intake(o).Want(200)
	}
	plan := srv.As("care-manager").Search("CarePlan").Want(200).Keys("match")
	if len(plan) == 0 {
		t.Fatal("the sample files hold no care plan")
	}
	srv.As("hospital").Read(plan[0]).Want(404)
	srv.As("care-manager").Read(plan[0]).Want(200)
	key := store.Key{Type: "CarePlan", ID: strings.TrimPrefix(plan[0], "CarePlan/")}
	v, err := srv.Store.Read(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	entries(t, srv, func(list []store.Version) bool {
		reads := 0
		for _, e := range list {
			if slices.Equal(e.Labels.Patients, v.Labels.Patients) && strings.Contains(string(e.JSON), `"code":"read"`) {
				reads++
			}
		}
		return reads == 2
	})

	person := srv.As(srv.Person(v.Labels.Patients[0]))
	found := person.Search("AuditEvent?_count=1000").Want(200)
	byOutcome := map[string]*fhir.Element{}
	for e := range found.Resource().All("entry") {
		if r := e.Get("resource"); r.Text("subtype", "code") == "read" {
			byOutcome[r.Text("outcome")] = r
		}
	}
	for outcome, who := range map[string]string{"0": "Organization/care-manager", "4": "Organization/hospital"} {
		if r := byOutcome[outcome]; r == nil || r.Text("agent", "who", "reference") != who {
			t.Errorf("outcome %s: the person does not see that %s asked", outcome, who)
		}
	}
	if r := byOutcome["4"]; r != nil && !detail(r, "rules", "R26") {
		t.Error("the refusal does not name its rule")
	}
	for _, office := range []string{"hospital", "care-manager", "insurer"} {
		if r := srv.As(office).Search("AuditEvent"); r.Status == 200 && len(r.Keys("match")) > 0 {
			t.Errorf("%s sees the record of accesses", office)
		}
	}
}

func detail(r *fhir.Element, name, value string) bool {
	for e := range r.All("entity") {
		for d := range e.All("detail") {
			if d.Text("type") == name && slices.Contains(strings.Fields(d.Text("valueString")), value) {
				return true
			}
		}
	}
	return false
}

// TestWritesAreRecordedInTheirTransaction finds, for each version a client
// wrote, a record that was committed with it.
func TestWritesAreRecordedInTheirTransaction(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("insurer").Want(200)
	recorded, written := map[uint64]bool{}, map[uint64]string{}
	for v, err := range srv.Store.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if v.Type == "AuditEvent" {
			recorded[v.Seq] = true
		} else {
			written[v.Seq] = v.Key.String()
		}
	}
	if len(written) < 2 {
		t.Fatalf("only %d transactions", len(written))
	}
	for seq, key := range written {
		if !recorded[seq] {
			t.Errorf("%s was written without a record", key)
		}
	}
	if r, err := audit.Verify(t.Context(), srv.Store); err != nil || !r.Sound() || r.Entries == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestNoPersonalDataInTheRecord searches by a name and looks for it.
func TestNoPersonalDataInTheRecord(t *testing.T) {
	srv := servertest.Start(t)
	srv.As("insurer").Search("Patient?name=%E5%B1%B1%E7%94%B0&birthdate=1940-01-02").Want(200)
	list := entries(t, srv, func(list []store.Version) bool {
		return slices.ContainsFunc(list, func(v store.Version) bool { return strings.Contains(string(v.JSON), "search-type") })
	})
	for _, v := range list {
		if text := string(v.JSON); strings.Contains(text, "山田") || strings.Contains(text, "1940") {
			t.Errorf("the record holds personal data: %s", text)
		}
	}
}
