package operation

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Env is what operations work with. All fields are required.
type Env struct {
	Service     *interaction.Service
	Validator   *validate.Validator
	Terminology *terminology.Memory
	Now         func() time.Time
	NewID       func() string
}

// All returns every operation of the server.
func All(e *Env) []Operation {
	return []Operation{
		e.validate(), e.everything(), e.document(), e.expand(), e.validateCode("ValueSet"), e.validateCode("CodeSystem"),
		e.lookup(), e.subsumes(), e.translate(), e.meta(), e.metaAdd(), e.metaDelete(), e.lastN(), e.convert(),
	}
}

// read returns the resource an operation is called on, as the caller sees it.
func (e *Env) read(ctx context.Context, c interaction.Call, in Input) (*fhir.Element, error) {
	v, err := e.Service.Read(ctx, c, store.Key{Type: in.Type, ID: in.ID})
	if err != nil {
		return nil, err
	}
	return decode(v.JSON)
}

func decode(json []byte) (*fhir.Element, error) {
	r, err := fhirjson.Decode(json, fhirjson.Options{MaxBytes: 1 << 30, MaxDepth: 1000})
	if err != nil {
		return nil, interaction.Internalf(err)
	}
	return r, nil
}

// terms returns a terminology that also knows the code systems, value sets and
// maps that are stored under the canonicals, and what those and the set, which
// may be nil, draw on, as far as the caller sees them.
func (e *Env) terms(ctx context.Context, c interaction.Call, set *fhir.Element, canonicals ...string) (terminology.Service, error) {
	needs := terminology.Needs(set)
	for _, canonical := range canonicals {
		for _, typ := range []string{"CodeSystem", "ValueSet", "ConceptMap"} {
			needs = append(needs, terminology.Need{Type: typ, Canonical: canonical})
		}
	}
	found, err := terminology.Gather(func(n terminology.Need) (*fhir.Element, error) { return e.definition(ctx, c, n) }, needs...)
	if err != nil {
		return nil, termsProblem(err)
	}
	return e.Terminology.With(found...), nil
}

// definition finds the newest stored definition under a canonical, nil where
// there is none.
func (e *Env) definition(ctx context.Context, c interaction.Call, n terminology.Need) (*fhir.Element, error) {
	canonical, _, _ := strings.Cut(n.Canonical, "|")
	b, err := e.Service.Search(ctx, c, interaction.SearchRequest{Type: n.Type, Stored: true, Query: "_count=1&_total=none&url=" + url.QueryEscape(canonical)})
	if refused(err) {
		return nil, nil // no scope for definitions: only the server's own count
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range b.Entries {
		if entry.Mode == "match" {
			return decode(entry.Resource)
		}
	}
	return nil, nil
}

// refused reports whether an error is one of scope.
func refused(err error) bool {
	var r *interaction.Refusal
	return errors.As(err, &r) && r.Reason == interaction.Denied
}

// termsProblem gives an error of the terminology its reason.
func termsProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, terminology.ErrUnknownCode):
		return interaction.Refuse(interaction.Unknown, fhir.NotFound, "code-unknown", fhir.Messagef(
			"the code is not in the code system", "コードがコードシステムにありません"))
	case errors.Is(err, terminology.ErrUnknownSystem), errors.Is(err, terminology.ErrUnknownValueSet), errors.Is(err, terminology.ErrUnknownMap):
		return interaction.Refuse(interaction.Unknown, fhir.NotFound, "canonical-unknown", fhir.Messagef(
			"the server does not hold the code system, value set or concept map asked for",
			"指定されたコードシステム・値セット・コンセプトマップはこのサーバーにありません"))
	case errors.Is(err, terminology.ErrTooCostly):
		return interaction.Refuse(interaction.Unacceptable, fhir.TooCostly, "expansion-too-large", fhir.Messagef(
			"the expansion is larger than the server makes", "展開結果がサーバーの上限を超えています"))
	case errors.Is(err, terminology.ErrCircular):
		return interaction.Refuse(interaction.Unacceptable, fhir.Processing, "value-set-circular", fhir.Messagef(
			"the value set imports itself", "値セットが自分自身を参照しています"))
	}
	return err
}

func missing(name string) error {
	return interaction.Refuse(interaction.BadRequest, fhir.Required, "parameter-missing", fhir.Messagef(
		"the parameter %s is missing", "パラメータ %s がありません", name))
}

// result builds a Parameters resource.
type result struct{ *fhir.Element }

func newResult() result { return result{fhir.NewResource("Parameters")} }

// add appends a parameter; an empty value adds nothing.
func (r result) add(name, property, value string) result {
	if value != "" {
		r.Add("parameter").Set("name", name).Set(property, value)
	}
	return r
}

func (r result) reply() *interaction.Reply { return &interaction.Reply{Resource: r.Element} }

func yesNo(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
