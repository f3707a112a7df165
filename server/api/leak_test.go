package api_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// TestLeaks looks for a person that a caller must not see in everything a
// server hands out: results, includes, chains, totals, histories, paging,
// operations, errors.
func TestLeaks(t *testing.T) {
	srv := servertest.Start(t)
	for _, name := range []string{"insurer", "hospital", "care-manager", "day-care"} {
		srv.Intake(name).Want(200)
	}
	op := srv.As(servertest.Operator)
	patients := op.Search("Patient?_sort=_id").Want(200).Keys("match")
	hidden := patients[0]
	secret := op.Read(hidden).Resource().Text("name", "text") + op.Read(hidden).Resource().Text("name", "family")
	if secret == "" {
		t.Fatal("the patient has no name to look for")
	}
	// home-help is registered with nobody and has no consent.
	c := srv.As("home-help")
	id := strings.TrimPrefix(hidden, "Patient/")
	absent := "nobody"
	for _, path := range []string{
		"Patient/%", "Patient/%/_history", "Patient/%/_history/1", "Patient?_id=%", "Patient?_id=%&_total=accurate",
		"Patient?_id=%&_summary=count", "Observation?subject=Patient/%", "Observation?patient=%&_include=Observation:patient",
		"Organization?_has:Patient:organization:_id=%", "CarePlan?patient=%", "CarePlan?subject:Patient._id=%",
		"Patient/%/Observation", "Patient/%/*", "?_type=Patient&_id=%", "Coverage?beneficiary=Patient/%&_revinclude=*",
		"Patient?_id=%&_revinclude=Observation:subject", "Organization?_has:CarePlan:performer:patient=%",
		"Patient/%/$graphql?query={id}", "$graphql?query={Patient(id:\"%\"){id}}", "$graphql?query={ObservationList(patient:\"%\"){id}}",
	} {
		t.Run(path, func(t *testing.T) {
			got := c.On(t).Read(strings.ReplaceAll(path, "%", id))
			want := c.On(t).Read(strings.ReplaceAll(path, "%", absent))
			plain := func(r *servertest.Response, id string) string {
				text := strings.ReplaceAll(string(r.Body), id, "ID")
				return text
			}
			if got.Status != want.Status || plain(got, id) != plain(want, absent) {
				t.Errorf("hidden and absent differ:\n%d %s\n%d %s", got.Status, got.Body, want.Status, want.Body)
			}
			for name, values := range want.Header {
				if name != "X-Request-Id" && name != "Content-Length" && name != "Date" && strings.Join(values, "") != strings.Join(got.Header[name], "") {
					t.Errorf("header %s: %v, absent %v", name, got.Header[name], values)
				}
			}
		})
	}
	t.Run("everything there is", func(t *testing.T) {
		for _, path := range []string{"Patient", "_history", "Patient/_history", "Observation", "CarePlan", "Bundle", "DocumentReference",
			"Organization?_revinclude=*", "Organization?_revinclude:iterate=*&_include:iterate=*", "?_type=Patient,CarePlan,Bundle", "Practitioner?_revinclude=*"} {
			for next := path; next != ""; {
				r := c.On(t).Read(next)
				if r.Status != 200 && r.Status != 403 {
					t.Errorf("%s: %d %s", path, r.Status, r.Body)
				}
				for _, p := range patients {
					if strings.Contains(string(r.Body), p) {
						t.Errorf("%s tells of %s", path, p)
					}
				}
				next = ""
				if r.Status == 200 {
					next = r.Link("next")
				}
			}
		}
	})
	t.Run("writes", func(t *testing.T) {
		body := func(id string) string { return `{"resourceType":"Patient","id":"` + id + `"}` }
		for _, tt := range []struct{ name, method, path string }{
			{"update", "PUT", "Patient/%"}, {"delete", "DELETE", "Patient/%"}, {"conditional delete", "DELETE", "Patient?_id=%"},
		} {
			send := func(id string) *servertest.Response {
				sent := ""
				if tt.method == "PUT" {
					sent = body(id)
				}
				return c.On(t).Do(tt.method, strings.ReplaceAll(tt.path, "%", id), sent)
			}
			got, want := send(id), send(absent)
			if got.Status != want.Status || strings.ReplaceAll(string(got.Body), id, absent) != string(want.Body) {
				t.Errorf("%s: hidden and absent differ:\n%d %s\n%d %s", tt.name, got.Status, got.Body, want.Status, want.Body)
			}
		}
		op.On(t).Read(hidden).Want(200)
	})
	t.Run("registration tells no more than the id", func(t *testing.T) {
		r := srv.As("clinic").On(t).Read(hidden)
		if r.Status != 404 {
			t.Fatalf("the clinic sees %s: %d", hidden, r.Status)
		}
	})
}

// A paging link works for nobody else, and only as long as its maker may see.
func TestPagingLinkOfAnother(t *testing.T) {
	srv := servertest.Start(t)
	for _, name := range []string{"insurer", "hospital"} {
		srv.Intake(name).Want(200)
	}
	next := srv.As("insurer").Search("Organization?_count=1").Want(200).Link("next")
	if next == "" {
		t.Fatal("no second page")
	}
	srv.As("insurer").Read(next).Want(200) // a new token of the same client
	srv.As("hospital").Read(next).Want(400)
	srv.As(servertest.Operator).Read(next).Want(400)
}

func TestAccessIsOnRecord(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("insurer").Want(200)
	patient := srv.As(servertest.Operator).Search("Patient?_count=1").Keys("match")[0]
	srv.As("home-help").Read(patient).Want(404)
	if err := srv.Close(); err != nil { // writes what is waiting
		t.Fatal(err)
	}
	codes := map[string]int{}
	for v, err := range srv.Store.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if v.Type != "AuditEvent" {
			continue
		}
		for _, code := range []string{"transaction", "search-type", "read", "update"} {
			if strings.Contains(string(v.JSON), `"code":"`+code+`"`) {
				codes[code]++
			}
		}
		if strings.Contains(string(v.JSON), "見本") {
			t.Errorf("personal data in %s", v.JSON)
		}
	}
	for _, code := range []string{"transaction", "search-type", "read", "update"} {
		if codes[code] == 0 {
			t.Errorf("no record of a %s: %v", code, codes)
		}
	}
}
