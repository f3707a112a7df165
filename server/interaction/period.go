package interaction

import (
	"net/url"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// careDates are the search parameters that tell when care was given, planned
// or asked for, each with a type that has it.
var careDates = [][2]string{
	{"Observation", "date"}, {"Condition", "onset-date"}, {"MedicationAdministration", "effective-time"},
	{"MedicationStatement", "effective"}, {"ServiceRequest", "authored"}, {"MedicationRequest", "authoredon"},
	{"MedicationDispense", "whenhandedover"}, {"QuestionnaireResponse", "authored"}, {"Communication", "sent"},
	{"Claim", "created"}, {"ImagingStudy", "started"}, {"Goal", "start-date"}, {"Task", "period"},
}

// within returns the clauses "its date of care, if it has one, lies between
// start and end", as the query string says.
// https://hl7.org/fhir/R4/patient-operation-everything.html
func (s *Service) within(query string) ([]search.Clause, error) {
	asked, err := url.ParseQuery(query)
	if err != nil {
		return nil, badParameter("")
	}
	from, to := asked.Get("start"), asked.Get("end")
	var list []search.Clause
	done := map[string]bool{}
	for _, d := range careDates {
		if done[d[1]] || from+to == "" {
			continue
		}
		done[d[1]] = true
		query := ""
		if from != "" {
			query += "&" + d[1] + "=ge" + url.QueryEscape(from)
		}
		if to != "" {
			query += "&" + d[1] + "=le" + url.QueryEscape(to)
		}
		in, err := s.Registry().Parse(d[0], query)
		if err != nil {
			return nil, err
		}
		if len(in.Query.Where) == 0 {
			continue // the server does not know the parameter
		}
		none := search.Clause{Param: in.Query.Where[0].Param, Modifier: "missing", Missing: true}
		list = append(list, search.Clause{Any: [][]search.Clause{in.Query.Where, {none}}})
	}
	return list, nil
}
