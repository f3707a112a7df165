package validate

import "github.com/kaigofhir/kaigofhir/fhir/r4"

// plan is a type of R4 made ready to check with.
type plan struct {
	typ        *r4.Type
	invariants []*invariant
	fields     []field
	order      map[*r4.Element]int
}

// field is one element of a type.
type field struct {
	def        *r4.Element
	binding    *binding
	invariants []*invariant
	profiles   map[string][]string // profiles that base asks, by type
}

// plan returns the plan of a type, made once.
func (v *Validator) plan(t *r4.Type) *plan {
	if p, ok := v.plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := v.plans.LoadOrStore(t, newPlan(t))
	return p.(*plan)
}

func newPlan(t *r4.Type) *plan {
	p := &plan{typ: t, invariants: baseInvariants(t.Constraints, nil), order: make(map[*r4.Element]int, len(t.Elements))}
	for i, e := range t.Elements {
		f := field{def: e, binding: baseBinding(e.Binding)}
		if prop, ok := t.Property(e.Name); ok {
			f.invariants = baseInvariants(e.Constraints, prop.Type.Constraints)
		} else {
			f.invariants = baseInvariants(e.Constraints, nil)
		}
		for _, ref := range e.Types {
			if len(ref.Profiles) > 0 {
				if f.profiles == nil {
					f.profiles = map[string][]string{}
				}
				f.profiles[ref.Code] = ref.Profiles
			}
		}
		p.fields = append(p.fields, f)
		p.order[e] = i
	}
	return p
}

// baseInvariants compiles constraints, those left out that are checked in Go
// or that the type has as well.
func baseInvariants(list, ofType []r4.Constraint) []*invariant {
	var out []*invariant
	for _, c := range list {
		if native[c.Key] || c.Expression == "" || hasConstraint(ofType, c.Key) {
			continue
		}
		expression := c.Expression
		if better, ok := corrected[c.Key]; ok {
			expression = better
		}
		out = append(out, newInvariant(c.Key, c.Severity, c.Human, expression))
	}
	return out
}

// corrected are expressions of R4 that do not say what their text says.
var corrected = map[string]string{
	// "more than one enableWhen", not more than two
	"que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",
	// the type of FHIR, not Boolean, that of FHIRPath
	"que-7": "operator = 'exists' implies (answer is boolean)",
}
