package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// RunScripts runs the search scripts against an engine itself, without the
// interactions above it. Included resources are not compared: the interactions
// make them, of further queries.
func RunScripts(t *testing.T, open func(t *testing.T) store.Store) {
	registry, err := search.New(searchscript.Options())
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := searchscript.All()
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, s := range scripts {
		t.Run(s.Name, func(t *testing.T) {
			e := &scripted{t: t, registry: registry, store: open(t)}
			if err := e.Load(s.Records); err != nil {
				t.Fatal(err)
			}
			for _, c := range s.Cases {
				matching := *c
				matching.Want.Included = nil
				if w := matching.Want; w.Matches == nil && w.Unknown == nil && w.Total == nil && w.Refused == nil {
					continue // the case is about includes alone
				}
				cases++
				a, err := e.Search(c.Type, c.Query, c.Must)
				if err == nil {
					err = matching.Check(a)
				}
				if err != nil {
					t.Errorf("%s.txt:%d: search %s: %v", s.Name, c.Line, c.Text, err)
				}
			}
		})
	}
	t.Logf("%d cases", cases)
	if cases < 400 && !t.Failed() {
		t.Errorf("only %d cases were run", cases)
	}
}

// resultName is "Type/id", or "Type/id#id" for a contained resource.
func resultName(page store.Page, i int) (string, error) {
	v := page.Versions[i]
	if page.Parts == nil || page.Parts[i] == 0 {
		return v.Key.String(), nil
	}
	resource, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
	if err != nil {
		return "", err
	}
	return v.Key.String() + "#" + search.ContainedResource(resource, page.Parts[i]).ID(), nil
}

// scripted is a store as the engine of a script.
type scripted struct {
	t        *testing.T
	registry *search.Registry
	store    store.Store
}

// allMatches is more than any script has.
const allMatches = 1000

// Load implements searchscript.Engine: all resources in one transaction.
func (e *scripted) Load(records []*searchscript.Record) error {
	var tx store.Tx
	for _, r := range records {
		tx.Writes = append(tx.Writes, store.Write{
			Key: store.Key{Type: r.Resource.ResourceType(), ID: r.Resource.ID()}, Method: store.Create, Labels: r.Labels,
			Stamp: func(_ uint64, at time.Time) ([]byte, [][]byte, error) {
				stamped := r.Resource.Clone()
				meta := stamped.Get("meta")
				if meta == nil {
					meta = stamped.Add("meta")
				}
				meta.Set("lastUpdated", at.UTC().Format("2006-01-02T15:04:05.000Z"))
				keys, err := e.registry.Keys(stamped)
				return fhirjson.Append(nil, stamped), keys, err
			},
		})
	}
	_, err := e.store.Apply(e.t.Context(), tx)
	return err
}

// Search implements searchscript.Engine.
func (e *scripted) Search(resourceType, query string, must search.Must) (searchscript.Answer, error) {
	req, err := e.registry.With(e.find(must)).Parse(resourceType, query)
	issues := fhir.Issues(nil)
	if err == nil && req.Directives.LooksInside() {
		req.Query, err = e.registry.ContainedQuery(&req, nil)
	}
	if errors.As(err, &issues) {
		return searchscript.Answer{Refused: issues}, nil
	}
	if err != nil {
		return searchscript.Answer{}, err
	}
	q := req.Query
	q.Must = must
	if !req.Directives.CountGiven {
		q.Count = allMatches
	}
	page, err := e.store.Search(e.t.Context(), q)
	if err != nil {
		return searchscript.Answer{}, err
	}
	a := searchscript.Answer{Total: page.Total, Unknown: req.Unknown}
	for i, v := range page.Versions {
		name, err := resultName(page, i)
		if err != nil {
			return a, fmt.Errorf("%s: %w", v.Key, err)
		}
		a.Matches = append(a.Matches, name)
	}
	return a, nil
}

// find answers what criteria draw on from the store.
func (e *scripted) find(must search.Must) search.Find {
	return func(q search.Query) ([]*fhir.Element, error) {
		q.Must, q.Total = must, search.TotalNone
		page, err := e.store.Search(e.t.Context(), q)
		if err != nil {
			return nil, err
		}
		var out []*fhir.Element
		for _, v := range page.Versions {
			r, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		return out, nil
	}
}
