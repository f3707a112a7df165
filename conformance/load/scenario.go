package load

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
)

// Scenario is one kind of request.
type Scenario struct {
	Name string
	// Request makes the next request; i counts up over all connections.
	Request func(d Data, r *rand.Rand, i int) Request
	// Want are the statuses that count as success.
	Want []int
	// Writes reports that the scenario changes the server.
	Writes bool
}

// Request is one HTTP request under the base URL.
type Request struct {
	Method, Path, Body string
	Header             map[string]string
}

// Scenarios returns every scenario, those that read first.
func Scenarios() []Scenario {
	return append(reads(), writes()...)
}

func reads() []Scenario {
	get := func(name string, path func(d Data, r *rand.Rand) string) Scenario {
		return Scenario{Name: name, Want: []int{http.StatusOK},
			Request: func(d Data, r *rand.Rand, _ int) Request { return Request{Method: "GET", Path: path(d, r)} }}
	}
	person := func(d Data, r *rand.Rand) string { return d.PatientID(r.IntN(d.Patients)) }
	return []Scenario{
		get("metadata", func(Data, *rand.Rand) string { return "metadata" }),
		get("read", func(d Data, r *rand.Rand) string { return "Patient/" + person(d, r) }),
		get("vread", func(d Data, r *rand.Rand) string { return "Patient/" + person(d, r) + "/_history/1" }),
		get("search-patient-code-date", func(d Data, r *rand.Rand) string {
			return fmt.Sprintf("Observation?patient=%s&code=%s|%s&_sort=-date&_count=20", person(d, r), loinc, codes[r.IntN(len(codes))])
		}),
		get("search-name", func(d Data, r *rand.Rand) string {
			return "Patient?name=" + url.QueryEscape(d.Kana(r.IntN(d.Patients))) + "&_count=20"
		}),
		get("search-identifier", func(d Data, r *rand.Rand) string {
			return "Patient?identifier=" + url.QueryEscape(identifierSystem+"|"+d.PatientNumber(r.IntN(d.Patients)))
		}),
		get("search-total", func(d Data, r *rand.Rand) string {
			return fmt.Sprintf("Observation?code=%s|%s&_count=20&_total=accurate", loinc, codes[r.IntN(len(codes))])
		}),
		get("search-no-total", func(d Data, r *rand.Rand) string {
			return fmt.Sprintf("Observation?code=%s|%s&_count=20&_total=none", loinc, codes[r.IntN(len(codes))])
		}),
		get("include", func(d Data, r *rand.Rand) string {
			return "Observation?patient=" + person(d, r) + "&_count=20&_include=Observation:subject"
		}),
		get("revinclude", func(d Data, r *rand.Rand) string {
			return "Patient?_id=" + person(d, r) + "&_revinclude=Observation:subject"
		}),
		get("history", func(d Data, r *rand.Rand) string { return "Patient/" + person(d, r) + "/_history" }),
		get("everything", func(d Data, r *rand.Rand) string { return "Patient/" + person(d, r) + "/$everything?_count=50" }),
	}
}

func writes() []Scenario {
	return []Scenario{
		{Name: "create", Writes: true, Want: []int{http.StatusCreated},
			Request: func(d Data, r *rand.Rand, i int) Request {
				return Request{Method: "POST", Path: "Observation", Body: d.Observation(r.IntN(d.Patients), 1000+i)}
			}},
		{Name: "update", Writes: true, Want: []int{http.StatusOK, http.StatusCreated},
			Request: func(d Data, r *rand.Rand, _ int) Request {
				n := r.IntN(d.Patients)
				return Request{Method: "PUT", Path: "Patient/" + d.PatientID(n), Body: d.Patient(n)}
			}},
		{Name: "conditional-create", Writes: true, Want: []int{http.StatusOK, http.StatusCreated},
			Request: func(d Data, r *rand.Rand, _ int) Request {
				n := r.IntN(d.Patients)
				return Request{Method: "POST", Path: "Patient", Body: d.Patient(n),
					Header: map[string]string{"If-None-Exist": "identifier=" + identifierSystem + "|" + d.PatientNumber(n)}}
			}},
	}
}
