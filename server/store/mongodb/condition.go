package mongodb

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// condition is one condition of a query: what the server can be asked, and
// what is left to be judged here.
type condition struct {
	// filter finds everything that meets the condition, and perhaps more; nil
	// asks nothing.
	filter bson.D
	// test judges a candidate, whatever the filter found.
	test judge
	// rest judges what the filter found; it is nothing where that is exact.
	rest judge
	// load, where not nil, is called with candidates before they are judged.
	load func([]candidate) error
}

// exact says that the filter finds nothing more.
func (c condition) exact() bool { return c.rest.ok == nil }

// judge decides about candidates.
type judge struct {
	ok   func(*candidate) bool
	keys bool // it looks at the index keys
}

// always is met by everything.
var always = judge{ok: func(*candidate) bool { return true }}

// and is met where both are; either may be nothing.
func (j judge) and(o judge) judge {
	switch {
	case j.ok == nil:
		return o
	case o.ok == nil:
		return j
	}
	return judge{ok: func(c *candidate) bool { return j.ok(c) && o.ok(c) }, keys: j.keys || o.keys}
}

// candidate is a version that is being judged, without its content.
type candidate struct {
	record
	decoded [][]byte
}

// keys are the index keys, sorted.
func (c *candidate) keys() [][]byte {
	if c.decoded == nil {
		c.decoded = fromTexts(c.record.Keys)
	}
	return c.decoded
}

// nothing is met by no document.
var nothing = bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: bson.A{}}}}}

func is(field string, value any) bson.D { return bson.D{{Key: field, Value: value}} }

func in[T any](field string, list []T) bson.D {
	if len(list) == 1 {
		return is(field, list[0])
	}
	return is(field, bson.D{{Key: "$in", Value: list}})
}

// all is met when every condition is.
func all(list ...condition) condition {
	var out condition
	var filters bson.A
	out.test = always
	for _, c := range list {
		if c.filter != nil {
			filters = append(filters, c.filter)
		}
		if c.load != nil {
			out.load = c.load
		}
		out.test, out.rest = out.test.and(c.test), out.rest.and(c.rest)
	}
	switch len(filters) {
	case 0:
	case 1:
		out.filter = filters[0].(bson.D)
	default:
		out.filter = is("$and", filters)
	}
	return out
}

// either is met when one condition is; none is met by nothing.
func either(list ...condition) condition {
	var out condition
	filters := bson.A{}
	open, exact := false, true
	for _, c := range list {
		open = open || c.filter == nil
		filters = append(filters, c.filter)
		exact = exact && c.exact()
		out.test.keys = out.test.keys || c.test.keys
	}
	switch {
	case open:
	case len(list) == 0:
		out.filter = nothing
	case len(list) == 1:
		out.filter = list[0].filter
	default:
		out.filter = is("$or", filters)
	}
	out.test.ok = func(c *candidate) bool {
		for _, x := range list {
			if x.test.ok(c) {
				return true
			}
		}
		return false
	}
	if !exact {
		out.rest = out.test
	}
	return out
}

// not is met when the other is not. The negation of a filter that finds too
// much would find too little: it is left out.
func not(x condition) condition {
	out := condition{test: judge{ok: func(c *candidate) bool { return !x.test.ok(c) }, keys: x.test.keys}}
	switch {
	case !x.exact():
		out.rest = out.test
	case x.filter == nil:
		out.filter = nothing
	default:
		out.filter = is("$nor", bson.A{x.filter})
	}
	return out
}

// oneOf is met when one of a candidate's values is in the set. A set for which
// the query has no room is looked up here.
func (v *view) oneOf(field string, set map[string]bool, of func(*candidate) []string) condition {
	c := condition{test: judge{keys: field == "keys", ok: func(c *candidate) bool {
		for _, s := range of(c) {
			if set[s] {
				return true
			}
		}
		return false
	}}}
	bytes := 0
	list := make([]string, 0, len(set))
	for s := range set {
		bytes += len(s) + setOverhead
		list = append(list, s)
	}
	if bytes > v.room {
		c.rest = c.test
		return c
	}
	v.room -= bytes
	c.filter = in(field, list)
	return c
}

// setOverhead is what a member of a set takes in a query beside its bytes.
const setOverhead = 12

// must is the mandatory predicate as a condition on labels.
func (e *Engine) must(m search.Must) condition {
	c := condition{test: judge{ok: func(c *candidate) bool { return m.Allows(c.Type, c.Name, c.labels()) }}}
	if m.Unrestricted {
		return c
	}
	budget, all := e.opts.limits.set, true
	alternatives := bson.A{}
	for i := range m.Any {
		filter, exact := grant(&m.Any[i], &budget)
		if filter == nil {
			continue
		}
		all = all && exact
		alternatives = append(alternatives, filter)
	}
	switch len(alternatives) {
	case 0:
		c.filter = nothing
	case 1:
		c.filter = alternatives[0].(bson.D)
	default:
		c.filter = is("$or", alternatives)
	}
	if !all {
		c.rest = c.test
	}
	return c
}

// grant is the filter of one grant, nil where it covers nothing. exact says
// that the filter finds no more than the grant covers.
func grant(g *search.Grant, budget *int) (filter bson.D, exact bool) {
	var parts bson.A
	exact = true
	for _, x := range []struct {
		field string
		list  []string
	}{{"type", g.Types}, {"form", g.Forms}, {"author", g.Authors}} {
		if len(x.list) > 0 {
			parts = append(parts, in(x.field, x.list))
		}
	}
	if g.ID != "" {
		parts = append(parts, is("ref", g.ID))
	}
	if g.Patients != nil {
		if g.Patients.Len() == 0 {
			return nil, true
		}
		if exact = fits(g.Patients, budget); exact {
			parts = append(parts, in("patients", g.Patients.IDs()))
		} else {
			parts = append(parts, is("patients", bson.D{{Key: "$exists", Value: true}}))
		}
	}
	if len(parts) == 0 {
		return nil, true
	}
	return is("$and", parts), exact
}

// fits takes what a set needs from the budget of a query, if there is enough.
func fits(p search.Patients, budget *int) bool {
	need := p.Len() * setOverhead
	if need > *budget {
		return false
	}
	for _, id := range p.IDs() {
		need += len(id)
	}
	if need > *budget {
		return false
	}
	*budget -= need
	return true
}
