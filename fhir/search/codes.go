package search

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// Find gives the parser the resources that a criterion draws on beside the ones
// it searches: value sets, code systems, the other ends of hierarchies. It
// answers a query that has neither Must nor AsOf nor Total: under the predicate
// of the caller whose search it is, all of one search from one snapshot.
type Find func(q Query) ([]*fhir.Element, error)

// With returns the registry for one request, whose criteria may draw on stored
// resources, a limited number of them. It is cheap, has the same parameters and
// belongs to one goroutine.
func (r *Registry) With(find Find) *Registry {
	own := &Registry{r.registryState}
	left := maxDrawn
	own.find = func(q Query) ([]*fhir.Element, error) {
		if left--; left < 0 {
			return nil, fhir.Issues{{Severity: fhir.Error, Code: fhir.TooCostly, ID: "search-follow-many", Message: fhir.Messagef(
				"the query leads to more resources than a search may follow", "検索条件からたどるリソースが多すぎます")}}
		}
		found, err := find(q)
		left -= len(found)
		return found, err
	}
	return own
}

// maxDrawn is how often the criteria of one request may ask for resources, the
// resources found counted in.
const maxDrawn = 5000

// maxCodes is how many codes a criterion may stand for.
const maxCodes = 10000

// expands tells modifiers whose values stand for a set of codes.
func expands(p *Parameter, m Modifier) bool {
	switch m {
	case ModifierIn, ModifierNotIn:
		return true
	case ModifierAbove, ModifierBelow:
		return p.Type == "token"
	}
	return false
}

// codes reads the values of a modifier that expands.
func (p *parser) codes(at criterionAt, m Modifier, raws []string) ([]Value, error) {
	if p.r.opts.Terminology == nil {
		return nil, p.notSupported(at.name, "the modifier needs a terminology, and there is none")
	}
	var out []Value
	for _, raw := range raws {
		question, wrong := p.question(m, raw)
		if wrong != "" {
			return nil, p.badValue(at.name, wrong)
		}
		codes, err := p.r.list(question)
		if err == nil && len(out)+len(codes) > maxCodes {
			err = terminology.ErrTooCostly
		}
		if err != nil {
			return nil, p.noCodes(at, err)
		}
		out = append(out, codes...)
	}
	if len(out) == 0 && len(raws) > 0 {
		out = append(out, Value{System: new(string)}) // an empty value set: matches nothing
	}
	return out, nil
}

// noCodes tells why a value has no codes. A failure of the server stays what it
// is.
func (p *parser) noCodes(at criterionAt, err error) error {
	for _, unknown := range []error{terminology.ErrUnknownValueSet, terminology.ErrUnknownSystem, terminology.ErrUnknownCode} {
		if errors.Is(err, unknown) {
			return p.refuse(at.name, fhir.NotFound, "search-codes",
				"the server does not know the value set or code, or not the whole code system that its codes are from",
				"値セットまたはコードが不明か、その元となるコード体系の全体がサーバーにありません")
		}
	}
	switch {
	case errors.Is(err, terminology.ErrTooCostly):
		return p.refuse(at.name, fhir.TooCostly, "search-codes-many", "the value stands for more codes than a search may ask for",
			"値が表すコードが多すぎます")
	case errors.Is(err, terminology.ErrCircular):
		return p.refuse(at.name, fhir.Processing, "search-codes-circular", "the value set imports itself",
			"値セットが自分自身を参照しています")
	}
	return err
}

// question is what a value asks the terminology: for a value set, by canonical
// or by id, or for what stands above or below a code.
type question struct {
	valueSet, id string
	relation     string // the filter that selects the codes
	system, code string
}

func (p *parser) question(m Modifier, raw string) (q question, wrong string) {
	if m == ModifierIn || m == ModifierNotIn {
		q.valueSet = unescape(raw)
		if ref, _, ok := parseLocal(p.r.opts.BaseURL, q.valueSet); ok {
			if q.id = ref.ID; ref.Type != "ValueSet" {
				return q, "the value is not a value set"
			}
		}
		return q, ""
	}
	v, wrong := parseToken(raw, ModifierNone)
	if wrong != "" || v.System == nil || *v.System == "" || v.Code == "" {
		return q, "system|code is expected"
	}
	q.system, q.code, q.relation = *v.System, v.Code, "is-a"
	if m == ModifierAbove {
		q.relation = "generalizes"
	}
	return q, ""
}

// list asks for the codes a question stands for.
func (r *Registry) list(q question) ([]Value, error) {
	ctx := context.Background() // what is held in memory needs none
	ask := terminology.ExpandRequest{ValueSet: q.valueSet}
	need := terminology.Need{Type: "ValueSet", Canonical: q.valueSet}
	var err error
	switch {
	case q.id != "":
		if ask.Resource, err = r.stored("ValueSet", "_id", Value{Raw: q.id, Code: q.id}); err != nil {
			return nil, err
		}
		if ask.Resource == nil {
			return nil, terminology.ErrUnknownValueSet
		}
		need.Canonical = ""
	case q.relation != "":
		ask.Resource = related(q)
		need.Canonical = ""
	}
	terms, err := r.terms(append(terminology.Needs(ask.Resource), need)...)
	if err != nil {
		return nil, err
	}
	if q.relation != "" {
		if _, err := terms.Lookup(ctx, terminology.LookupRequest{System: q.system, Code: q.code}); err != nil {
			return nil, fmt.Errorf("code: %w", err)
		}
	}
	x, err := terms.Expand(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("expand: %w", err)
	}
	if _, version, ok := strings.Cut(q.valueSet, "|"); ok && q.id == "" && version != x.Version {
		return nil, terminology.ErrUnknownValueSet // it gave another version
	}
	return codeValues(nil, x.Contains, q.relation != ""), nil
}

// related is the value set of a code and all that stands so to it.
func related(q question) *fhir.Element {
	set := fhir.NewResource("ValueSet")
	include := set.Add("compose").Add("include").Set("system", q.system)
	include.Add("filter").Set("property", "concept").Set("op", q.relation).Set("value", q.code)
	return set
}

// codeValues appends the codes of an expansion; what is abstract is in no value
// set, but stands above and below others.
func codeValues(list []Value, contains []terminology.Contained, abstractToo bool) []Value {
	for i := range contains {
		c := &contains[i]
		if c.Code != "" && (abstractToo || !c.Abstract) {
			list = append(list, Value{Raw: c.System + "|" + c.Code, System: &c.System, Code: c.Code})
		}
		list = codeValues(list, c.Contains, abstractToo)
	}
	return list
}

// terms is the terminology with the stored definitions that a question needs.
func (r *Registry) terms(needs ...terminology.Need) (*terminology.Memory, error) {
	if r.find == nil {
		return r.opts.Terminology, nil
	}
	found, err := terminology.Gather(func(n terminology.Need) (*fhir.Element, error) {
		url, version, _ := strings.Cut(n.Canonical, "|")
		if version == "" {
			return r.stored(n.Type, "url", Value{Raw: url, URL: url})
		}
		return r.stored(n.Type, "url", Value{Raw: url, URL: url}, Value{Raw: version, Code: version})
	}, needs...)
	if err != nil {
		return nil, err
	}
	return r.opts.Terminology.With(found...), nil
}

// stored finds the newest resource of a type with that value of a parameter,
// and of that version where one is given; nil where there is none.
func (r *Registry) stored(resourceType, code string, value Value, version ...Value) (*fhir.Element, error) {
	if r.find == nil {
		return nil, nil
	}
	q := Query{Types: []string{resourceType}, Count: 1}
	for _, c := range []struct {
		code   string
		values []Value
	}{{code, []Value{value}}, {"version", version}} {
		p, ok := r.Lookup(resourceType, c.code)
		if !ok {
			return nil, fmt.Errorf("search: %s has no parameter %s", resourceType, c.code)
		}
		if len(c.values) > 0 {
			q.Where = append(q.Where, Clause{Param: p, Values: c.values})
		}
	}
	found, err := r.find(q)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
