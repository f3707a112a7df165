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
	// exact says that the filter finds nothing more.
	exact bool
	// test judges one candidate, whatever the filter found.
	test func(*candidate) bool
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
	out := condition{exact: true}
	var filters bson.A
	for _, c := range list {
		if c.filter != nil {
			filters = append(filters, c.filter)
		}
		out.exact = out.exact && c.exact
	}
	switch len(filters) {
	case 0:
	case 1:
		out.filter = filters[0].(bson.D)
	default:
		out.filter = is("$and", filters)
	}
	out.test = func(c *candidate) bool {
		for _, x := range list {
			if !x.test(c) {
				return false
			}
		}
		return true
	}
	return out
}

// either is met when one condition is; none is met by nothing.
func either(list ...condition) condition {
	out := condition{exact: true}
	filters := bson.A{}
	open := false
	for _, c := range list {
		open = open || c.filter == nil
		filters = append(filters, c.filter)
		out.exact = out.exact && c.exact
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
	out.test = func(c *candidate) bool {
		for _, x := range list {
			if x.test(c) {
				return true
			}
		}
		return false
	}
	return out
}

// not is met when the other is not. The negation of a filter that finds too
// much would find too little: it is left out.
func not(x condition) condition {
	out := condition{test: func(c *candidate) bool { return !x.test(c) }}
	if x.exact {
		out.exact = true
		out.filter = nothing
		if x.filter != nil {
			out.filter = is("$nor", bson.A{x.filter})
		}
	}
	return out
}

// oneOf is met when one of a candidate's values is in the set. A set that is
// too large for a query is looked up here.
func (e *Engine) oneOf(field string, set map[string]bool, of func(*candidate) []string) condition {
	c := condition{test: func(c *candidate) bool {
		for _, s := range of(c) {
			if set[s] {
				return true
			}
		}
		return false
	}}
	bytes := 0
	list := make([]string, 0, len(set))
	for s := range set {
		bytes += len(s) + setOverhead
		list = append(list, s)
	}
	if bytes <= e.opts.limits.set {
		c.exact = true
		c.filter = in(field, list)
	}
	return c
}

// setOverhead is what a member of a set takes in a query beside its bytes.
const setOverhead = 12

// must is the mandatory predicate as a condition on labels.
func (e *Engine) must(m search.Must) condition {
	c := condition{exact: true, test: func(c *candidate) bool { return m.Allows(c.Type, c.Name, c.labels()) }}
	if m.Unrestricted {
		return c
	}
	budget := e.opts.limits.set
	alternatives := bson.A{}
	for i := range m.Any {
		filter, exact := grant(&m.Any[i], &budget)
		if filter == nil {
			continue
		}
		c.exact = c.exact && exact
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
