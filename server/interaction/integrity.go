package interaction

import (
	"context"
	"errors"
	"maps"
	"slices"

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
	eachReference(content, func(reference *fhir.Element) {
		key, ok := localKey(reference.Value)
		if !ok || failed != nil || registers(content, key) {
			return
		}
		there, err := p.exists(ctx, key)
		if err != nil {
			failed = err
		} else if !there {
			issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.NotFound, ID: "reference-not-found",
				Expression: content.Expression(reference), Message: fhir.Messagef(
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
	if err == nil {
		p.known[key] = true
		p.referred = append(p.referred, key)
	}
	return err == nil, err
}

// pinReferences adds to the transaction the expectation that what its
// resources refer to is still there when it is applied: somebody may delete it
// in between.
func (p *plan) pinReferences() {
	byType := map[string][]store.Key{}
	for _, key := range p.referred {
		byType[key.Type] = append(byType[key.Type], key)
	}
	for _, typ := range slices.Sorted(maps.Keys(byType)) {
		id, ok := p.s.Registry().Lookup(typ, "_id")
		if !ok {
			continue
		}
		keys, clause := byType[typ], search.Clause{Param: id}
		slices.SortFunc(keys, compareKeys)
		for _, key := range keys {
			clause.Values = append(clause.Values, search.Value{Raw: key.ID, Code: key.ID})
		}
		p.tx.Expect = append(p.tx.Expect, store.Expectation{Keys: keys, Query: search.Query{
			Types: []string{typ}, Where: []search.Clause{clause}, Must: search.Must{Unrestricted: true},
			Count: len(keys) + 1, Total: search.TotalNone,
		}})
	}
}

// eachReference calls visit for every literal reference in a resource, but for
// those in the entries of a Bundle.
func eachReference(e *fhir.Element, visit func(reference *fhir.Element)) {
	for _, c := range e.Children {
		switch {
		case e.ResourceType() == "Bundle" && c.Name == "entry":
		case c.Name == "reference" && e.Type != nil && e.Type.Name == "Reference":
			visit(c)
		default:
			eachReference(c, visit)
		}
	}
}

// deletion is one resource that a step deletes.
type deletion struct {
	st  *step
	key store.Key
}

// checkReferrers refuses to delete what other resources refer to, now and when
// the transaction is applied. It looks past the caller's visibility, and tells
// no more than that there are some.
func (p *plan) checkReferrers(ctx context.Context) error {
	if !p.s.cfg.Options.CheckReferences || len(p.deletions) == 0 {
		return nil
	}
	all := make([]store.Key, len(p.deletions))
	for i, d := range p.deletions {
		all[i] = d.key
	}
	found, err := p.expect(ctx, p.s.referrers(all, len(p.writes)+1))
	if err != nil || !p.foreign(found) {
		return err
	}
	for _, d := range p.deletions { // which of them it is
		page, err := p.s.cfg.Store.Search(ctx, p.s.referrers([]store.Key{d.key}, len(p.writes)+1))
		if err != nil {
			return err
		}
		if p.foreign(page.Versions) {
			return d.st.refused(referenced(d.key))
		}
	}
	return nil // the reference has gone meanwhile: the plan is not applied, but made anew
}

func referenced(key store.Key) *Refusal {
	return Refuse(Colliding, fhir.Conflict, "referenced", fhir.Messagef(
		"%s cannot be deleted: other resources refer to it",
		"%s は他のリソースから参照されているため削除できません", key.String()))
}

// foreign reports whether one of the resources is not written by the plan.
func (p *plan) foreign(versions []store.Version) bool {
	return slices.ContainsFunc(versions, func(v store.Version) bool { return p.writes[v.Key] == nil })
}

// referrers returns the query for what refers to one of the keys by any
// parameter.
func (s *Service) referrers(keys []store.Key, count int) search.Query {
	var clause search.Clause
	done := map[string]bool{}
	for _, typ := range referringTypes() {
		for _, sp := range r4.SearchParameters(typ) {
			fits := func(k store.Key) bool { return len(sp.Target) == 0 || slices.Contains(sp.Target, k.Type) }
			if sp.Type != "reference" || done[sp.Code] || !slices.ContainsFunc(keys, fits) {
				continue
			}
			if p, ok := s.Registry().Lookup(typ, sp.Code); ok {
				done[sp.Code] = true
				clause.Any = append(clause.Any, []search.Clause{referenceClause(p, keys...)})
			}
		}
	}
	return search.Query{
		Types: referringTypes(), Where: []search.Clause{clause}, Must: search.Must{Unrestricted: true},
		Count: count, Total: search.TotalNone,
	}
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
