// Package demo plays the main job of kaigofhir against a running server, over
// its public API alone: the software of each organisation sends its files, and
// each then pulls what it may see of one person, before the person consents,
// after, and after the consent is withdrawn.
package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/auth/authclient"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// Organization is one of the callers of the demo: an organisation of the
// samples, a second municipality, or the person with an app of its own. Its
// key is made when the demo starts and forgotten when it ends.
type Organization struct {
	ID          string `json:"id"` // Organization id; of the person, the Patient id
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	AccessToken string `json:"accessToken"`
	Scopes      string `json:"scopes"`

	// Short names the column in the terminal.
	Short string `json:"-"`
	// Role is how the insurer registers the office for the person, "" if it
	// does not.
	Role sharing.Role `json:"-"`

	system, number string
	files          []file
	key            *authclient.Key
}

const (
	operatorID = "operator"   // registers the organisations, outside the matrix
	otherCity  = "other-city" // a municipality the person has nothing to do with
	kindPerson = string(policy.Person)
)

// World is everybody who takes part, and the server they talk to.
type World struct {
	Organizations []*Organization // the columns of the table
	Patients      []string        // ids, the person of the table first
	Board         *Board

	operator *Organization
	base     string // http://HOST:PORT/fhir
	tokenURL string
	now      func() time.Time
	consents []resource // as stored
}

// shorts names the columns, roles the registrations, by the key of the samples.
var (
	shorts = map[string]string{
		"insurer": "insurer", "care-manager": "care manager", "day-care": "day care",
		"home-help": "home help", "hospital": "hospital", "clinic": "clinic",
	}
	roles = map[string]sharing.Role{
		"care-manager": sharing.RoleCareManager, "day-care": sharing.RoleCareProvider, "home-help": sharing.RoleCareProvider,
	}
)

// NewWorld makes the organisations with fresh keys.
func NewWorld(now func() time.Time) (*World, error) {
	w := &World{Board: &Board{}, now: now}
	for _, s := range samples.Organizations() {
		o, err := newOrganization(s.Key, s.Kind, s.Name)
		if err != nil {
			return nil, err
		}
		o.Short, o.Role, o.system, o.number = shorts[s.Key], roles[s.Key], s.System, s.Number
		for _, f := range samples.Of(s) {
			o.files = append(o.files, file{f.Name, f.Data})
		}
		w.Organizations = append(w.Organizations, o)
	}
	other, err := newOrganization(otherCity, care.KindMunicipality, "となり市")
	if err != nil {
		return nil, err
	}
	other.Short, other.system, other.number = "other city", care.InsurerNumber, "479980"
	w.Organizations = append(w.Organizations, other)
	w.operator, err = newOrganization(operatorID, string(policy.Operator), operatorID)
	return w, err
}

// newOrganization makes a caller with a fresh key.
func newOrganization(id, kind, name string) (*Organization, error) {
	key, err := authclient.NewKey("ES384", id+"-key")
	return &Organization{ID: id, Kind: kind, Name: name, key: key}, err
}

// Clients are the registrations the server needs. They change once the person
// is known, whose client is bound to the Patient.
func (w *World) Clients() ([]auth.Client, error) {
	var clients []auth.Client
	for _, o := range append([]*Organization{w.operator}, w.Organizations...) {
		keys, err := o.key.Public()
		if err != nil {
			return nil, err
		}
		c := auth.Client{ID: o.ID, Name: o.Name, Kind: policy.Kind(o.Kind), Keys: keys}
		switch c.Kind {
		case policy.Operator:
		case policy.Person:
			c.Patient = o.ID
		default:
			c.Organization = o.ID
		}
		clients = append(clients, c)
	}
	return clients, nil
}

// Connect tells the world where the server answers. Tokens of an earlier
// address are forgotten: they are for that address alone.
func (w *World) Connect(base, tokenURL string) {
	w.base, w.tokenURL = base, tokenURL
	for _, o := range append([]*Organization{w.operator}, w.Organizations...) {
		o.AccessToken = ""
	}
}

// token fetches an access token of everything the organisation may ask for.
func (w *World) token(ctx context.Context, o *Organization) error {
	c := authclient.Client{ID: o.ID, Key: o.key, TokenURL: w.tokenURL}
	scope := "system/*.cruds"
	if o.Kind == string(policy.Person) {
		scope = "patient/*.cruds"
	}
	t, err := c.Fetch(ctx, scope, w.now())
	if err != nil {
		return fmt.Errorf("token for %s: %w", o.ID, err)
	}
	o.AccessToken, o.Scopes = t.AccessToken, t.Scope
	return nil
}

func (w *World) client(o *Organization) *client {
	return &client{base: w.base, token: o.AccessToken, http: http.DefaultClient}
}

func (w *World) organization(id string) *Organization {
	for _, o := range w.Organizations {
		if o.ID == id {
			return o
		}
	}
	panic("demo: the samples have no organisation " + id)
}
