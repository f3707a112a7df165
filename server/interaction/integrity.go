package interaction

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// checkReferences refuses literal references to local resources that neither
// exist, as far as the caller can see, nor are written by the same transaction.
func (p *plan) checkReferences(ctx context.Context, content *fhir.Element) error {
	if !p.s.cfg.Options.CheckReferences {
		return nil
	}
	var issues fhir.Issues
	var failed error
	eachReference(content, content.ResourceType(), func(value, expression string) {
		key, ok := localKey(value)
		if !ok || failed != nil || registers(content, key) {
			return
		}
		there, err := p.exists(ctx, key)
		if err != nil {
			failed = err
		} else if !there {
			issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.NotFound, ID: "reference-not-found",
				Expression: expression, Message: fhir.Messagef(
					"the reference to %s leads nowhere", "参照先 %s が見つかりません", key.String())})
		}
	})
	if failed == nil && len(issues) > 0 {
		return RefuseAll(Unacceptable, issues)
	}
	return failed
}

// checkSubjects refuses a document about a person the caller does not see: its
// references lie in the entries, which checkReferences leaves alone.
func (p *plan) checkSubjects(ctx context.Context, content *fhir.Element, l search.Labels) error {
	if !p.s.cfg.Options.CheckReferences || p.c.Caller.Unrestricted || content.ResourceType() != "Bundle" {
		return nil
	}
	for _, id := range l.Patients {
		key := store.Key{Type: "Patient", ID: id}
		there, err := p.exists(ctx, key)
		if err != nil {
			return err
		}
		if !there {
			return RefuseAll(Unacceptable, fhir.Issues{{Severity: fhir.Error, Code: fhir.NotFound, ID: "reference-not-found",
				Expression: "Bundle.entry[0].resource", Message: fhir.Messagef(
					"the reference to %s leads nowhere", "参照先 %s が見つかりません", key.String())}})
		}
	}
	return nil
}

// registers reports whether a reference is that of a consent or registration to
// its person. Whoever writes one has identified the person, mostly without
// having seen the Patient before: that is what it is written for. Hidden and
// absent persons look the same here too: neither is refused.
func registers(content *fhir.Element, key store.Key) bool {
	typ := content.ResourceType()
	return key.Type == "Patient" && (typ == "Consent" || typ == "EpisodeOfCare")
}

// exists reports whether a reference to key would be good after the
// transaction.
func (p *plan) exists(ctx context.Context, key store.Key) (bool, error) {
	if w := p.writes[key]; w != nil {
		return w.verb != verbDelete, nil
	}
	if p.known[key] {
		return true, nil
	}
	_, err := p.s.current(ctx, p.must, key)
	var r *Refusal
	if errors.As(err, &r) {
		return false, nil
	}
	return err == nil, err
}

// eachReference calls visit for every literal reference in a resource, but for
// those in the entries of a Bundle.
func eachReference(e *fhir.Element, path string, visit func(value, expression string)) {
	for i, c := range e.Children {
		here := path + "." + c.Name
		if c.List {
			n := 0
			for j := i - 1; j >= 0 && e.Children[j].Name == c.Name; j-- {
				n++
			}
			here += "[" + strconv.Itoa(n) + "]"
		}
		switch {
		case e.ResourceType() == "Bundle" && c.Name == "entry":
			continue
		case c.Name == "reference" && e.Type != nil && e.Type.Name == "Reference":
			visit(c.Value, here)
		default:
			eachReference(c, here, visit)
		}
	}
}

// checkReferrers refuses to delete what other resources refer to. It looks
// past the caller's visibility, and tells no more than that there are some.
func (p *plan) checkReferrers(ctx context.Context, key store.Key) error {
	if !p.s.cfg.Options.CheckReferences {
		return nil
	}
	clause := p.s.referrers(key)
	if len(clause.Any) == 0 {
		return nil
	}
	page, err := p.s.cfg.Store.Search(ctx, search.Query{
		Types: referringTypes(), Where: []search.Clause{clause}, Must: search.Must{Unrestricted: true},
		Count: len(p.steps) + 1, Total: search.TotalNone,
	})
	if err != nil {
		return err
	}
	for _, v := range page.Versions {
		if p.writes[v.Key] == nil && v.Key != key {
			return Refuse(Colliding, fhir.Conflict, "referenced", fhir.Messagef(
				"%s cannot be deleted: other resources refer to it",
				"%s は他のリソースから参照されているため削除できません", key.String()))
		}
	}
	return nil
}

// referrers returns the clause "refers to key by any parameter".
func (s *Service) referrers(key store.Key) search.Clause {
	var clause search.Clause
	done := map[string]bool{}
	for _, typ := range referringTypes() {
		for _, sp := range r4.SearchParameters(typ) {
			if sp.Type != "reference" || done[sp.Code] || len(sp.Target) > 0 && !slices.Contains(sp.Target, key.Type) {
				continue
			}
			if p, ok := s.Registry().Lookup(typ, sp.Code); ok {
				done[sp.Code] = true
				clause.Any = append(clause.Any, []search.Clause{referenceClause(p, key)})
			}
		}
	}
	return clause
}

// referringTypes are the types whose references hold a deletion back: not the
// records of what was done.
func referringTypes() []string {
	return slices.DeleteFunc(slices.Clone(r4.ResourceTypes()), func(t string) bool {
		return t == "AuditEvent" || t == "Provenance"
	})
}

func referenceClause(p *search.Parameter, keys ...store.Key) search.Clause {
	c := search.Clause{Param: p}
	for _, k := range keys {
		c.Values = append(c.Values, search.Value{Raw: k.String(), Type: k.Type, ID: k.ID})
	}
	return c
}
