package interaction

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// match finds the target of a conditional interaction and adds to the
// transaction the expectation that the answer is still the same when it is
// applied.
func (p *plan) match(ctx context.Context, st *step) error {
	if p.sameCreate(st) {
		return nil
	}
	q, err := p.criteria(ctx, st.key.Type, *st.criteria)
	if err != nil {
		return err
	}
	many := st.verb == verbDelete && p.s.cfg.Options.DeleteMultiple
	if many {
		q.Count = p.s.cfg.Options.MaxEntries
	}
	hiddenToo := p.c.Registration && st.verb <= verbUpdate && st.verb != verbDelete && st.key.Type == "Patient"
	if hiddenToo {
		q.Must = search.Must{Unrestricted: true}
	}
	found, err := p.expect(ctx, q)
	if err != nil {
		return err
	}
	if len(found) > 1 && !many {
		return severalMatch(st.key.Type)
	}
	if hiddenToo {
		if found, err = p.onlyIDs(st, found); err != nil {
			return err
		}
	}
	return p.choose(ctx, st, found)
}

// sameCreate makes a conditional create that repeats an earlier one of the
// same transaction stand for the same resource.
func (p *plan) sameCreate(st *step) bool {
	if st.verb != verbCreate {
		return false
	}
	for _, other := range p.steps {
		if other == st {
			return false
		}
		if other.verb == verbCreate && other.criteria != nil && other.key.Type == st.key.Type &&
			*other.criteria == *st.criteria && other.same == nil {
			st.key, st.same = other.key, other
			return true
		}
	}
	return false
}

// criteria parses the query of a conditional interaction. It must have a
// criterion, and only such the server knows: one ignored would hit the wrong
// resource.
func (p *plan) criteria(ctx context.Context, resourceType, raw string) (search.Query, error) {
	f := finding{s: p.s, ctx: ctx, must: p.must}
	r, err := p.s.Registry().With(f.find).Parse(resourceType, raw)
	if err != nil {
		return search.Query{}, err
	}
	if len(r.Unknown) > 0 {
		return search.Query{}, RefuseAll(BadRequest, unknownIssues(fhir.Error, r.Unknown))
	}
	if r.Directives.LooksInside() {
		return search.Query{}, Refuse(BadRequest, fhir.NotSupported, "criteria-contained", fhir.Messagef(
			"the criteria of a conditional interaction cannot look into contained resources", "条件付き操作の条件では contained リソースを検索できません"))
	}
	if len(r.Query.Where) == 0 {
		return search.Query{}, Refuse(BadRequest, fhir.Required, "criteria-missing", fhir.Messagef(
			"a conditional interaction needs a search criterion", "条件付き操作には検索条件が必要です"))
	}
	q := search.Query{Types: []string{resourceType}, Where: r.Query.Where, Must: p.must, Count: 2, Total: search.TotalNone}
	return q, nil
}

// expect searches and pins the answer. What the transaction itself deletes is
// not among the matches returned: deletes come first.
func (p *plan) expect(ctx context.Context, q search.Query) ([]store.Version, error) {
	page, err := p.s.cfg.Store.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	keys := make([]store.Key, len(page.Versions))
	for i, v := range page.Versions {
		keys[i] = v.Key
	}
	slices.SortFunc(keys, compareKeys)
	p.tx.Expect = append(p.tx.Expect, store.Expectation{Query: q, Keys: keys})
	return slices.DeleteFunc(slices.Clone(page.Versions), func(v store.Version) bool {
		w := p.writes[v.Key]
		return w != nil && w.verb == verbDelete
	}), nil
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// onlyIDs takes away all but the key of matches the caller cannot see, unless
// the step is the insurer's update of its own insured.
func (p *plan) onlyIDs(st *step, found []store.Version) ([]store.Version, error) {
	for i, v := range found {
		if p.must.Allows(v.Type, v.ID, v.Labels) {
			continue
		}
		if st.verb == verbUpdate && p.c.Insurer != "" {
			e, err := decodeStored(v.JSON)
			if err != nil {
				return nil, err
			}
			if insured(e, p.c.Insurer) && insured(st.resource, p.c.Insurer) {
				st.insurer = true
				continue
			}
		}
		found[i] = store.Version{Key: v.Key}
	}
	return found, nil
}

// insured reports whether a Patient is insured under an insurer's number.
func insured(patient *fhir.Element, insurer string) bool {
	for id := range patient.All("identifier") {
		if id.Text("system") == care.InsuredNumber && strings.HasPrefix(id.Text("value"), insurer+":") {
			return true
		}
	}
	return false
}

// choose applies R4's rules for the number of matches.
func (p *plan) choose(ctx context.Context, st *step, found []store.Version) error {
	if len(found) == 0 {
		return p.chooseNone(ctx, st)
	}
	st.key, st.found = found[0].Key, &found[0]
	if found[0].Version == 0 { // hidden: registered by others, whose record stays as it is
		st.matched = true
		return nil
	}
	switch st.verb {
	case verbCreate:
		st.matched = true
		return nil
	case verbDelete:
		st.also = found[1:]
	case verbUpdate:
		if id := st.resource.ID(); id != "" && id != st.key.ID {
			return RefuseAll(BadRequest, fhir.Issues{{Severity: fhir.Error, Code: fhir.Invalid, ID: "id-mismatch",
				Expression: st.key.Type + ".id", Message: fhir.Messagef(
					"the body's id is not that of the resource the criteria match",
					"本文の id が条件に一致するリソースの id と異なります")}})
		}
	}
	return st.precondition()
}

func (p *plan) chooseNone(ctx context.Context, st *step) error {
	switch st.verb {
	case verbDelete:
		st.nothing = true
		return st.precondition()
	case verbPatch:
		return Refuse(Unknown, fhir.NotFound, "no-match", fhir.Messagef(
			"the criteria match no %s", "条件に一致する %s はありません", st.key.Type))
	case verbUpdate:
		if id := st.resource.ID(); id != "" {
			st.key.ID = id
			if err := checkKey(st.key); err != nil {
				return err
			}
			return p.chooseID(ctx, st)
		}
	}
	st.key.ID = p.s.cfg.NewID()
	return st.precondition()
}

// chooseID handles a conditional update that matches nothing and names an id.
func (p *plan) chooseID(ctx context.Context, st *step) error {
	if !p.clientIDs() {
		return noClientID(st.key)
	}
	if err := p.find(ctx, st); err != nil {
		return err
	}
	if st.found != nil && !st.deleted {
		return Refuse(Colliding, fhir.Conflict, "exists", fhir.Messagef(
			"%s exists but does not meet the criteria", "%s は存在しますが、条件に一致しません", st.key.String()))
	}
	return nil
}

func severalMatch(resourceType string) *Refusal {
	return Refuse(Failed, fhir.MultipleMatch, "several-match", fhir.Messagef(
		"the criteria match more than one %s", "条件に一致する %s が複数あります", resourceType))
}

// conditionalReference resolves "Patient?identifier=…" in a transaction.
// https://hl7.org/fhir/R4/http.html#trules
func (p *plan) conditionalReference(ctx context.Context, resourceType, query string) (string, error) {
	if known, ok := p.local[resourceType+"?"+query]; ok {
		return known, nil
	}
	q, err := p.criteria(ctx, resourceType, query)
	if err != nil {
		return "", err
	}
	found, err := p.expect(ctx, q)
	switch {
	case err != nil:
		return "", err
	case len(found) > 1:
		return "", severalMatch(resourceType)
	case len(found) == 0:
		return "", Refuse(Failed, fhir.NotFound, "reference-no-match", fhir.Messagef(
			"a conditional reference matches no %s", "条件付き参照に一致する %s はありません", resourceType))
	}
	p.local[resourceType+"?"+query] = found[0].String()
	return found[0].String(), nil
}
