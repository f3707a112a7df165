package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// AllowedScopes are the most a kind of caller can get: for each resource type
// the forms it may read, and those it may make, from the matrix, and what
// belongs to no form. An operator gets everything.
func AllowedScopes(m *sharing.Matrix, k Kind) []Scope {
	context := "system"
	if k == Person {
		context = "patient"
	}
	if k == Operator {
		return []Scope{{context, "*", actionOrder, nil}}
	}
	if k != Person && !isOffice(k) {
		return nil
	}
	scopes := formlessScopes(context, k)
	reads, makes := formsByType(m, k)
	for _, t := range slices.Sorted(maps.Keys(reads)) {
		if forms := makes[t]; len(forms) > 0 {
			scopes = append(scopes, Scope{context, t, actionOrder, forms})
		}
		rest := slices.DeleteFunc(slices.Clone(reads[t]), func(f string) bool { return slices.Contains(makes[t], f) })
		if len(rest) > 0 {
			scopes = append(scopes, Scope{context, t, "rs", rest})
		}
	}
	return scopes
}

// formsByType returns for each resource type the forms a kind may read and
// those it may make. What it makes it may read.
func formsByType(m *sharing.Matrix, k Kind) (reads, makes map[string][]string) {
	reads, makes = map[string][]string{}, map[string][]string{}
	for i := range m.Rows {
		row := &m.Rows[i]
		_, author := row.MayAuthor(sharing.Actor(k))
		for _, t := range row.Types {
			if author {
				makes[t] = append(makes[t], row.Code)
			}
			if author || readable(row, k, t) {
				reads[t] = append(reads[t], row.Code)
			}
		}
	}
	return reads, makes
}

func readable(row *sharing.Row, k Kind, resourceType string) bool {
	for _, c := range row.Cells {
		if c.Actor == sharing.Actor(k) && c.Effect != sharing.None && (c.Types == nil || slices.Contains(c.Types, resourceType)) {
			return true
		}
	}
	return false
}

// formlessScopes are those on types that belong to no form.
func formlessScopes(context string, k Kind) []Scope {
	var scopes []Scope
	add := func(actions string, types ...string) {
		for _, t := range types {
			scopes = append(scopes, Scope{context, t, actions, nil})
		}
	}
	if k == Person {
		add("rs", "Patient", "AuditEvent")
		add("crus", "Consent", "EpisodeOfCare")
		add("rs", "RelatedPerson")
		add("rs", directoryTypes...)
	} else {
		add(actionOrder, "Patient")
		add(actionOrder, relationTypes...)
		add("crus", directoryTypes...)
	}
	add("rs", definitionTypes...)
	return scopes
}

// GrantScopes returns what of the requested scopes, separated by blanks, a kind
// of caller gets. Scopes that are not understood, of another context, or beyond
// the matrix are left out. A person's contexts are patient and user, an
// organisation's are system and user.
func GrantScopes(m *sharing.Matrix, k Kind, requested string) Scopes {
	var s Scopes
	allowed := AllowedScopes(m, k)
	for _, text := range strings.Fields(requested) {
		asked, err := ParseScope(text)
		if err != nil || !rightContext(k, asked.Context) {
			continue
		}
		some := false
		for _, most := range allowed {
			if both, ok := asked.intersect(most); ok {
				s.granted, some = append(s.granted, both), true
			}
		}
		if some {
			s.requested = append(s.requested, asked)
		}
	}
	return s
}

func rightContext(k Kind, context string) bool {
	if k == Person {
		return context != "system"
	}
	return context != "patient"
}

// Everything returns all the scopes a kind can get.
func Everything(m *sharing.Matrix, k Kind) Scopes {
	if k == Person {
		return GrantScopes(m, k, "patient/*.cruds")
	}
	return GrantScopes(m, k, "system/*.cruds")
}

// narrow cuts grants down to what the scopes let the caller read. The matrix is
// in the grants already, so the short, requested scopes suffice.
func (s Scopes) narrow(grants []search.Grant) []search.Grant {
	byForms := map[string]*search.Grant{} // types that share a restriction to forms
	var order []string
	for _, r := range s.requested {
		if !strings.ContainsAny(r.Actions, "rs") {
			continue
		}
		if r.Type == "*" && r.Forms == nil {
			return grants
		}
		key := strings.Join(r.Forms, ",")
		if byForms[key] == nil {
			byForms[key] = &search.Grant{Forms: withWithheld(r.Forms)}
			order = append(order, key)
		}
		byForms[key].Types = append(byForms[key].Types, r.Type)
	}
	var narrowed []search.Grant
	for _, key := range order {
		for _, g := range grants {
			if cut, ok := cutDown(g, byForms[key]); ok {
				narrowed = append(narrowed, cut)
			}
		}
	}
	return narrowed
}

func withWithheld(forms []string) []string {
	all := slices.Clone(forms)
	for _, f := range forms {
		all = append(all, f+withheldMark)
	}
	return all
}

// cutDown intersects a grant with types and forms; false where nothing is left.
func cutDown(g search.Grant, to *search.Grant) (search.Grant, bool) {
	if !slices.Contains(to.Types, "*") {
		if g.Types = common(g.Types, to.Types); g.Types == nil {
			return g, false
		}
	}
	if to.Forms != nil {
		if g.Forms = common(g.Forms, to.Forms); g.Forms == nil {
			return g, false
		}
	}
	return g, true
}

// common returns what is in both lists, where an empty first one stands for
// anything; nil for nothing.
func common(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	var both []string
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	return both
}

// Within returns what of the scopes is also in the bound, for a client whose
// registration bounds it further.
func (s Scopes) Within(bound Scopes) Scopes {
	return Scopes{scopeState{requested: meet(s.requested, bound.requested), granted: meet(s.granted, bound.granted)}}
}

func meet(a, b []Scope) []Scope {
	var both []Scope
	for _, x := range a {
		for _, y := range b {
			if z, ok := x.intersect(y); ok {
				both = append(both, z)
			}
		}
	}
	return both
}
