// Package policy decides who may see and write what: scopes × sharing matrix ×
// relations × consent give, for each caller, the mandatory predicate of every
// query and a yes or no for every write.
package policy

import (
	"context"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Kind is the kind of a caller: one of the five actors of the sharing matrix,
// or the operator of the server, who is outside it.
type Kind string

// The kinds of callers. A prefecture is no actor of the matrix: it is known so
// that the refusal can name its rule (R8).
const (
	Person             Kind = "user"
	Municipality       Kind = "municipality"
	CareOffice         Kind = "care_office"
	CareManagerOffice  Kind = "care_manager_office"
	MedicalInstitution Kind = "medical_institution"
	Prefecture         Kind = "prefecture"
	Operator           Kind = "operator"
)

// Acting tells in whose stead a person's client acts.
type Acting string

// The ways to act for a person. The zero value is the person.
const (
	AsSelf           Acting = ""
	AsFamily         Acting = "family"         // like the person unless refused (R12)
	AsRepresentative Acting = "representative" // verified legal representative (R24)
)

// Emergency is the purpose of use of a break-glass access (R36), a code of
// http://terminology.hl7.org/CodeSystem/v3-ActReason.
const Emergency = "ETREAT"

// Caller is who makes a request, as the access token says.
type Caller struct {
	Client       string // client id
	Kind         Kind
	Organization string // Organization id, "" for a person
	Patient      string // Patient id of a person's own client, "" otherwise
	Acting       Acting // for a person's client
	Purpose      string // purpose of use; Emergency or ""
	Scopes       Scopes
	// Unrestricted is set for internal work, for operators and in the open
	// development mode; the matrix does not apply.
	Unrestricted bool
}

// author is what the caller's records carry as their author label: the
// Organization id, or "Patient/id" for a person, which no Organization id can
// look like.
func (c *Caller) author() string {
	switch {
	case c.Organization != "":
		return c.Organization
	case c.Patient != "":
		return "Patient/" + c.Patient
	}
	return ""
}

// Action is what a caller wants to do with a type of resource.
type Action byte

// The actions, the letters of SMART v2 scopes.
const (
	ActionCreate Action = 'c'
	ActionRead   Action = 'r'
	ActionUpdate Action = 'u'
	ActionDelete Action = 'd'
	ActionSearch Action = 's'
)

// Policy answers the questions below from the matrix and from the relations
// and consents in the store, as they are at the moment of the question. It is
// safe for concurrent use.
type Policy struct{ policyState }

type policyState struct {
	matrix *sharing.Matrix
	view   *view
}

// Option changes what New returns.
type Option func(*Policy)

// WithMatrix gives the policy a matrix under other settings of its switches.
func WithMatrix(m *sharing.Matrix) Option { return func(p *Policy) { p.matrix = m } }

// WithClock gives the policy the clock by which consents and registrations
// begin and end.
func WithClock(now func() time.Time) Option { return func(p *Policy) { p.view.now = now } }

// New returns a policy over the records of a store. It reads what is there and
// keeps up with it from then on.
func New(st store.Store, options ...Option) (*Policy, error) {
	p := &Policy{policyState{matrix: sharing.National(), view: newView(st)}}
	for _, o := range options {
		o(p)
	}
	p.view.forms = consentForms(p.matrix)
	p.view.matrix = p.matrix
	if err := p.view.refresh(context.Background()); err != nil {
		return nil, err
	}
	return p, nil
}

// Matrix returns the matrix the policy goes by.
func (p *Policy) Matrix() *sharing.Matrix { return p.matrix }

// consentForms are the forms for which some actor needs consent.
func consentForms(m *sharing.Matrix) []string {
	var forms []string
	for i := range m.Rows {
		for _, c := range m.Rows[i].Cells {
			if c.Effect == sharing.Consent && c.Actor != sharing.Person {
				forms = append(forms, m.Rows[i].Code)
				break
			}
		}
	}
	return forms
}

// refusal is the error of a write that a rule forbids.
func refusal(code fhir.Code, id, expression string, m fhir.Message) error {
	return fhir.Issues{{Severity: fhir.Error, Code: code, ID: id, Expression: expression, Message: m}}
}
