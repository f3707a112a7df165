// Package policy decides who may see and write what: scopes × sharing matrix ×
// relations × consent give, for each caller, the mandatory predicate of every
// query and a yes or no for every write.
package policy

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Kind is the kind of a caller: one of the five actors of the sharing matrix,
// or the operator of the server, who is outside it.
type Kind string

// The kinds of callers.
const (
	Person             Kind = "user"
	Municipality       Kind = "municipality"
	CareOffice         Kind = "care_office"
	CareManagerOffice  Kind = "care_manager_office"
	MedicalInstitution Kind = "medical_institution"
	Operator           Kind = "operator"
)

// Caller is who makes a request, as the access token says.
type Caller struct {
	Client       string // client id
	Kind         Kind
	Organization string // Organization id, "" for a person
	Patient      string // Patient id of a person's own client, "" otherwise
	Scopes       Scopes
	// Unrestricted is set for internal work, for operators and in the open
	// development mode; the matrix does not apply.
	Unrestricted bool
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
// and consents in the store, as they are at the moment of the question.
type Policy struct{ policyState }

type policyState struct{} // owned by this package's other files

// New returns a policy over the records of a store.
func New(st store.Store) (*Policy, error) { panic("contract") }

// Visibility returns the mandatory predicate of a caller: what it may see at
// this moment. A caller without a scope for anything sees nothing.
func (p *Policy) Visibility(ctx context.Context, c Caller) (search.Must, error) { panic("contract") }

// Label determines the labels of a resource about to be written: its care
// form, the patients it is about (references in it are already local, "Patient/1")
// and its author. previous are the labels of the version it replaces, nil for
// a create; an author never changes.
func (p *Policy) Label(ctx context.Context, c Caller, resource *fhir.Element, previous *search.Labels) (search.Labels, error) {
	panic("contract")
}

// MayWrite refuses, with fhir.Issues of code forbidden or security, a write the
// scopes or the matrix do not give the caller. For a delete, resource is the
// version deleted. The caller has checked that the caller can see what it
// changes.
func (p *Policy) MayWrite(ctx context.Context, c Caller, a Action, resource *fhir.Element, l search.Labels) error {
	panic("contract")
}

// Scopes are the SMART scopes of a token. The zero value allows nothing.
type Scopes struct{ scopeState }

type scopeState struct{} // owned by scope.go

// Allow reports whether some scope covers the action on the resource type.
func (s Scopes) Allow(resourceType string, a Action) bool { panic("contract") }
