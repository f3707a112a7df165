package policy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// actionOrder is the order in which SMART writes the letters.
const actionOrder = "cruds"

// Scope is one SMART v2 scope: a context, a resource type or "*", actions, and
// the forms it is narrowed to by _security (nil: all).
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
type Scope struct {
	Context string // patient, user or system
	Type    string
	Actions string // letters of actionOrder, in that order
	Forms   []string
}

// String writes the scope: system/CarePlan.rs?_security=SYSTEM|home-care-plan.
func (s Scope) String() string {
	out := s.Context + "/" + s.Type + "." + s.Actions
	for i, f := range s.Forms {
		if i == 0 {
			out += "?_security="
		} else {
			out += ","
		}
		out += care.FormSystem + "|" + f
	}
	return out
}

// ParseScope reads one scope, of version 2 or 1 (system/*.read). It fails on
// whatever it does not understand; such a scope must not be granted.
func ParseScope(text string) (Scope, error) {
	bad := fmt.Errorf("policy: %q is not a scope this server knows", text)
	name, query, narrowed := strings.Cut(text, "?")
	context, rest, ok := strings.Cut(name, "/")
	resourceType, actions, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || !slices.Contains([]string{"patient", "user", "system"}, context) || !validType(resourceType) {
		return Scope{}, bad
	}
	switch actions {
	case "read":
		actions = "rs"
	case "write":
		actions = "cud"
	case "*":
		actions = actionOrder
	default:
		if !inOrder(actions) {
			return Scope{}, bad
		}
	}
	s := Scope{Context: context, Type: resourceType, Actions: actions}
	if narrowed {
		if s.Forms = parseForms(query); s.Forms == nil {
			return Scope{}, bad
		}
	}
	return s, nil
}

func validType(s string) bool {
	if s == "*" {
		return true
	}
	for i, c := range s {
		if (c < 'A' || c > 'Z') && (i == 0 || c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

// inOrder reports whether the letters are a selection of cruds, in that order.
func inOrder(actions string) bool {
	at := 0
	for _, a := range actions {
		i := strings.IndexRune(actionOrder[at:], a)
		if i < 0 {
			return false
		}
		at += i + 1
	}
	return actions != ""
}

// parseForms reads _security=SYSTEM|form,…; nil where the query is another.
func parseForms(query string) []string {
	values, err := url.ParseQuery(query)
	if err != nil || len(values) != 1 || len(values["_security"]) != 1 {
		return nil
	}
	var forms []string
	for v := range strings.SplitSeq(values.Get("_security"), ",") {
		form, ok := strings.CutPrefix(v, care.FormSystem+"|")
		if !ok {
			return nil
		}
		forms = append(forms, form)
	}
	return forms
}

// Scopes are the SMART scopes of a token. The zero value allows nothing.
type Scopes struct{ scopeState }

type scopeState struct {
	requested []Scope // as asked and allowed in part at least
	granted   []Scope // what of it the matrix gives the kind
}

// Allow reports whether some scope covers the action on the resource type.
func (s Scopes) Allow(resourceType string, a Action) bool {
	for i := range s.granted {
		if s.granted[i].covers(resourceType, a) {
			return true
		}
	}
	return false
}

// AllowForm reports whether some scope covers the action on resources of the
// type that belong to the form ("" for none).
func (s Scopes) AllowForm(resourceType string, a Action, form string) bool {
	for i := range s.granted {
		g := &s.granted[i]
		if g.covers(resourceType, a) && (g.Forms == nil || slices.Contains(g.Forms, form)) {
			return true
		}
	}
	return false
}

func (s *Scope) covers(resourceType string, a Action) bool {
	return (s.Type == "*" || s.Type == resourceType) && strings.IndexByte(s.Actions, byte(a)) >= 0
}

// String writes the granted scopes, separated by blanks, as in a token
// response.
func (s Scopes) String() string { return joinScopes(s.granted) }

// Requested writes what was asked for and is at least partly allowed. It is
// short, and GrantScopes gives the same Scopes for it again.
func (s Scopes) Requested() string { return joinScopes(s.requested) }

// Empty reports whether the scopes allow nothing.
func (s Scopes) Empty() bool { return len(s.granted) == 0 }

func joinScopes(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, s := range scopes {
		texts[i] = s.String()
	}
	return strings.Join(texts, " ")
}

// intersect returns what two scopes both allow.
func (s Scope) intersect(o Scope) (Scope, bool) {
	both := Scope{Context: s.Context, Type: s.Type}
	if s.Type == "*" {
		both.Type = o.Type
	} else if o.Type != "*" && o.Type != s.Type {
		return Scope{}, false
	}
	for _, a := range s.Actions {
		if strings.ContainsRune(o.Actions, a) {
			both.Actions += string(a)
		}
	}
	switch {
	case s.Forms == nil:
		both.Forms = o.Forms
	case o.Forms == nil:
		both.Forms = s.Forms
	default:
		for _, f := range s.Forms {
			if slices.Contains(o.Forms, f) {
				both.Forms = append(both.Forms, f)
			}
		}
		if both.Forms == nil {
			return Scope{}, false
		}
	}
	return both, both.Actions != ""
}
