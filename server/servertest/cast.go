package servertest

import (
	"net/http"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/auth/authclient"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// clientKey is the key of every client of the tests.
var clientKey = sync.OnceValues(func() (*authclient.Key, error) { return authclient.NewKey("ES384", "test") })

// Operator is the client that is outside the matrix.
const Operator = "operator"

// cast returns a client for each organisation of the sample files, under its
// key ("insurer", "care-manager", "day-care", …), and the operator.
func (s *Server) cast() *auth.Clients {
	s.people = []auth.Client{s.client(auth.Client{ID: Operator, Kind: policy.Operator})}
	for _, o := range samples.Organizations() {
		s.people = append(s.people, s.client(auth.Client{ID: o.Key, Kind: policy.Kind(o.Kind), Organization: o.Key}))
	}
	s.clients = new(auth.Clients)
	s.refresh()
	return s.clients
}

func (s *Server) client(c auth.Client) auth.Client {
	s.t.Helper()
	key, err := clientKey()
	if err != nil {
		s.t.Fatal(err)
	}
	if c.Keys, err = key.Public(); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *Server) refresh() {
	s.t.Helper()
	if err := s.clients.Replace(s.people...); err != nil {
		s.t.Fatal(err)
	}
}

// registerOrganizations stores the Organization of each client, under the
// client's key as id, unless the store has it from an earlier server.
func (s *Server) registerOrganizations() {
	s.t.Helper()
	op := s.As(Operator)
	for _, o := range samples.Organizations() {
		e := fhir.NewResource("Organization").Set("id", o.Key).Set("name", o.Name).Set("active", "true")
		e.Add("identifier").Set("system", o.System).Set("value", o.Number)
		e.Add("type").Add("coding").Set("system", care.OrganizationKindSystem).Set("code", o.Kind)
		if op.Read("Organization/"+o.Key).Status == http.StatusNotFound {
			op.Update(string(fhirjson.Append(nil, e))).Want(http.StatusCreated)
		}
	}
}

// As returns a client with a fresh token of everything its kind may ask for.
// Names are those of the sample organisations, Operator, and people added by
// Person.
func (s *Server) As(name string) *Client {
	s.t.Helper()
	scope := "system/*.cruds"
	if strings.HasPrefix(name, "person-") {
		scope = "patient/*.rs"
	}
	return s.AsWith(name, scope)
}

// AsWith returns a client whose token has no more than these scopes.
func (s *Server) AsWith(name, scope string) *Client {
	s.t.Helper()
	key, err := clientKey()
	if err != nil {
		s.t.Fatal(err)
	}
	c := authclient.Client{ID: name, Key: key, TokenURL: strings.TrimSuffix(s.URL, "/fhir") + server.TokenPath, HTTP: s.http.Client()}
	token, err := c.Fetch(s.t.Context(), scope, s.Clock.Now())
	if err != nil {
		s.t.Fatalf("token for %s: %v", name, err)
	}
	return s.WithToken(token.AccessToken)
}

// Person registers the client of a person, who is the Patient with that id,
// and returns its name for As.
func (s *Server) Person(patient string) string {
	s.t.Helper()
	name := "person-" + patient
	s.people = append(s.people, s.client(auth.Client{ID: name, Kind: policy.Person, Patient: patient}))
	s.refresh()
	return name
}

// Intake sends the sample files of an organisation as that organisation and
// returns the answer.
func (s *Server) Intake(name string) *Response {
	s.t.Helper()
	for _, o := range samples.Organizations() {
		if o.Key == name {
			return s.As(name).Upload(samples.Of(o)...)
		}
	}
	s.t.Fatalf("no sample organisation %q", name)
	return nil
}
