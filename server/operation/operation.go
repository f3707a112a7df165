// Package operation holds FHIR's $operations, one file each with its own
// registration, from which the CapabilityStatement and the
// OperationDefinitions come. Operations reach people's data only through
// package interaction. https://hl7.org/fhir/R4/operations.html
package operation

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// Operation is one $operation and where it can be called.
type Operation struct {
	Name       string // without the dollar sign: "everything"
	Definition string // canonical URL of its OperationDefinition
	// System, Type and Instance are the levels it is offered at; Types the
	// resource types of the latter two, empty for every type.
	System, Type, Instance bool
	Types                  []string
	// Writes reports that it may change data: it is then not called by GET.
	Writes bool
	// Job says that it only starts a stored job: the answer is where to ask
	// for its result, whatever Prefer says.
	Job bool
	Run func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error)
}

// Input is what an operation is called with.
type Input struct {
	interaction.OperationRequest
	Params
}

// Registry is the set of operations of a server. It is immutable.
type Registry struct{ list []Operation }

// NewRegistry returns a registry of these operations.
func NewRegistry(list ...Operation) *Registry {
	slices.SortFunc(list, func(a, b Operation) int { return strings.Compare(a.Name, b.Name) })
	return &Registry{list}
}

// All returns the operations, sorted by name.
func (r *Registry) All() []Operation { return r.list }

// Offered reports whether the operation can be called on a resource type, or
// at the system level where resourceType is "".
func (o *Operation) Offered(resourceType string, instance bool) bool {
	switch {
	case resourceType == "":
		return o.System
	case len(o.Types) > 0 && !slices.Contains(o.Types, resourceType):
		return false
	case instance:
		return o.Instance
	}
	return o.Type
}

// Run finds and calls the operation of a request.
func (r *Registry) Run(ctx context.Context, c interaction.Call, ask interaction.OperationRequest) (*interaction.Reply, error) {
	for i := range r.list {
		o := &r.list[i]
		if "$"+o.Name != ask.Name || !o.Offered(ask.Type, ask.ID != "") {
			continue
		}
		if o.Writes && !ask.Post {
			return nil, interaction.Refuse(interaction.Unallowed, fhir.NotSupported, "operation-post", fhir.Messagef(
				"%s changes data and is called with POST", "%s はデータを変更するため POST で呼び出してください", ask.Name))
		}
		if o.Job && ask.Entry {
			return nil, interaction.Refuse(interaction.BadRequest, fhir.NotSupported, "operation-in-bundle", fhir.Messagef(
				"%s is called on its own, not in a Bundle", "%s は Bundle の中では呼び出せません", ask.Name))
		}
		params, err := readParams(ask)
		if err != nil {
			return nil, err
		}
		return o.Run(ctx, c, Input{OperationRequest: ask, Params: params})
	}
	return nil, interaction.Refuse(interaction.Unknown, fhir.NotSupported, "operation-unknown", fhir.Messagef(
		"there is no operation %s here", "オペレーション %s はここでは利用できません", ask.Name))
}

// Params are the parameters of a call: those of the query string, of a
// Parameters body, or a body that is the one resource parameter itself.
type Params struct {
	query url.Values
	body  *fhir.Element
}

func readParams(ask interaction.OperationRequest) (Params, error) {
	q, err := url.ParseQuery(ask.Query)
	if err != nil {
		return Params{}, interaction.Refuse(interaction.BadRequest, fhir.Invalid, "query-invalid", fhir.Messagef(
			"the query string is not valid", "クエリ文字列が正しくありません"))
	}
	return Params{query: q, body: ask.Body}, nil
}

// Text returns the first value of a primitive parameter, "" where none.
func (p Params) Text(name string) string {
	if all := p.Texts(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Texts returns every value of a primitive parameter.
func (p Params) Texts(name string) []string {
	all := slices.Clone(p.query[name])
	for _, e := range p.elements(name) {
		if e.Value != "" {
			all = append(all, e.Value)
		}
	}
	return all
}

// Element returns the value of a complex parameter, nil where none.
func (p Params) Element(name string) *fhir.Element {
	if all := p.elements(name); len(all) > 0 {
		return all[0]
	}
	return nil
}

// elements returns the value[x] of every parameter of that name.
func (p Params) elements(name string) []*fhir.Element {
	if p.body.ResourceType() != "Parameters" {
		return nil
	}
	var list []*fhir.Element
	for e := range p.body.All("parameter") {
		if e.Text("name") != name {
			continue
		}
		for _, c := range e.Children {
			if c.Def != nil && c.Def.Name == "value" {
				list = append(list, c)
			}
		}
	}
	return list
}

// Resource returns a resource parameter; the body itself where it is no
// Parameters.
func (p Params) Resource(name string) *fhir.Element {
	if p.body == nil || p.body.ResourceType() != "Parameters" {
		return p.body
	}
	for e := range p.body.All("parameter") {
		if e.Text("name") == name {
			return e.Get("resource")
		}
	}
	return nil
}
