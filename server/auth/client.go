package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"gopkg.in/yaml.v3"

	"github.com/kaigofhir/kaigofhir/server/policy"
)

// Client is a registered piece of software: it acts for one organisation, or
// for one person, or it is the operator's.
type Client struct {
	ID           string
	Name         string
	Kind         policy.Kind
	Organization string        // Organization id, of the four kinds of organisation
	Patient      string        // Patient id, of a person's client
	Acting       policy.Acting // of a person's client: who uses it
	Keys         jwk.Set       // public keys, each with a kid
	// Scopes bounds what the client may ask for; "" is everything of its kind.
	Scopes string
}

// check refuses a client that is nobody, or two at once.
func (c *Client) check() error {
	person := c.Kind == policy.Person && c.Patient != "" && c.Organization == ""
	office := c.Organization != "" && c.Patient == "" && c.Acting == policy.AsSelf
	operator := c.Kind == policy.Operator && c.Organization == "" && c.Patient == ""
	switch c.Kind {
	case policy.Municipality, policy.CareOffice, policy.CareManagerOffice, policy.MedicalInstitution, policy.Prefecture:
	default:
		office = false
	}
	switch c.Acting {
	case policy.AsSelf, policy.AsFamily, policy.AsRepresentative:
	default:
		return fmt.Errorf("auth: client %q acts as %q, which is unknown", c.ID, c.Acting)
	}
	switch {
	case c.ID == "" || strings.ContainsAny(c.ID, " \t\r\n"):
		return errors.New("auth: a client has an id without blanks")
	case !person && !office && !operator:
		return fmt.Errorf("auth: client %q: a kind of organisation goes with an organization, the kind user with a patient", c.ID)
	case c.Keys == nil || c.Keys.Len() == 0:
		return fmt.Errorf("auth: client %q has no keys", c.ID)
	}
	return checkKeys(c)
}

// checkKeys refuses keys that are secret, unnamed or too weak.
func checkKeys(c *Client) error {
	for i := range c.Keys.Len() {
		key, _ := c.Keys.Key(i)
		if kid, ok := key.KeyID(); !ok || kid == "" {
			return fmt.Errorf("auth: client %q: key %d has no kid", c.ID, i)
		}
		if private, err := jwk.IsPrivateKey(key); err != nil || private {
			return fmt.Errorf("auth: client %q: key %d is not a public key", c.ID, i)
		}
		if _, err := algorithm(key); err != nil {
			return fmt.Errorf("auth: client %q: key %d: %w", c.ID, i, err)
		}
	}
	return nil
}

// Clients is the registry of clients. It can be replaced as a whole while it
// is in use; a client that is gone is refused from then on, tokens and all.
type Clients struct {
	byID atomic.Pointer[map[string]*Client]
}

// NewClients returns a registry. It fails on a client without a kind, without
// keys, or on an id given twice.
func NewClients(clients ...Client) (*Clients, error) {
	r := new(Clients)
	return r, r.Replace(clients...)
}

// Replace gives the registry other clients, or leaves it as it is where it
// fails.
func (r *Clients) Replace(clients ...Client) error {
	byID := make(map[string]*Client, len(clients))
	for _, c := range clients {
		if err := c.check(); err != nil {
			return err
		}
		if byID[c.ID] != nil {
			return fmt.Errorf("auth: client %q is registered twice", c.ID)
		}
		byID[c.ID] = &c
	}
	r.byID.Store(&byID)
	return nil
}

func (r *Clients) lookup(id string) (*Client, bool) {
	byID := r.byID.Load()
	if byID == nil {
		return nil, false
	}
	c, ok := (*byID)[id]
	return c, ok
}

// clientFile is one client in the registration file.
type clientFile struct {
	ID           string         `yaml:"id"`
	Name         string         `yaml:"name"`
	Kind         policy.Kind    `yaml:"kind"`
	Organization string         `yaml:"organization"`
	Patient      string         `yaml:"patient"`
	Acting       policy.Acting  `yaml:"acting"`
	Scopes       string         `yaml:"scopes"`
	JWKS         map[string]any `yaml:"jwks"`
	JWKSFile     string         `yaml:"jwks_file"`
}

// ParseClients reads a registration file, YAML or JSON: a list "clients" of id,
// name, kind, organization or patient, acting, scopes, and jwks (inline) or
// jwks_file (a path inside files). Unknown keys are errors.
func ParseClients(data []byte, files fs.FS) ([]Client, error) {
	var file struct {
		Clients []clientFile `yaml:"clients"`
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("auth: clients file: %w", err)
	}
	clients := make([]Client, 0, len(file.Clients))
	for _, f := range file.Clients {
		keys, err := f.keys(files)
		if err != nil {
			return nil, fmt.Errorf("auth: client %q: %w", f.ID, err)
		}
		clients = append(clients, Client{ID: f.ID, Name: f.Name, Kind: f.Kind, Organization: f.Organization,
			Patient: f.Patient, Acting: f.Acting, Scopes: f.Scopes, Keys: keys})
	}
	return clients, nil
}

func (f *clientFile) keys(files fs.FS) (jwk.Set, error) {
	if (f.JWKS == nil) == (f.JWKSFile == "") {
		return nil, errors.New("give either jwks or jwks_file")
	}
	var data []byte
	var err error
	if f.JWKSFile != "" {
		if files == nil {
			return nil, errors.New("jwks_file cannot be used here")
		}
		data, err = fs.ReadFile(files, f.JWKSFile)
	} else {
		data, err = json.Marshal(f.JWKS)
	}
	if err != nil {
		return nil, err
	}
	return jwk.Parse(data)
}
