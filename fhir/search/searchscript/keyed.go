package searchscript

import (
	"errors"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Keyed is an Engine that answers criteria from index keys alone, as a storage
// engine does, by looking at every key. It shows that keys and content agree;
// order, totals and includes it does not look at.
type Keyed struct {
	Registry *search.Registry
	records  []*keyedRecord
	naive    *search.Naive // for what criteria draw on
}

type keyedRecord struct {
	*Record
	ref  search.Reference
	keys [][]byte
}

// Load implements Engine.
func (k *Keyed) Load(records []*Record) error {
	k.records = nil
	k.naive = search.NewNaive(k.Registry)
	for _, r := range records {
		if err := k.naive.Put(r.Resource, r.Labels); err != nil {
			return err
		}
		keys, err := k.Registry.Keys(r.Resource)
		if err != nil {
			return err
		}
		k.records = append(k.records, &keyedRecord{r, search.Reference{Type: r.Resource.ResourceType(), ID: r.Resource.ID()}, keys})
	}
	return nil
}

// Search implements Engine; it fills only Matches, Unknown and Refused.
func (k *Keyed) Search(resourceType, query string, must search.Must) (Answer, error) {
	req, err := k.Registry.With(k.naive.Find(must)).Parse(resourceType, query)
	issues := fhir.Issues(nil)
	if err == nil && req.Directives.LooksInside() {
		req.Query, err = k.Registry.ContainedQuery(&req, nil)
	}
	if errors.As(err, &issues) {
		return Answer{Refused: issues}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Unknown: req.Unknown, Total: -1}
	for _, r := range k.records {
		if len(req.Query.Types) > 0 && !slices.Contains(req.Query.Types, r.ref.Type) || !allows(must, r) {
			continue
		}
		ok, err := k.meetsAll(r, req.Query.Where, must)
		if err != nil {
			return Answer{}, err
		}
		switch {
		case !ok:
		case req.Query.Parts != nil:
			parts, err := k.parts(r, req.Query.Parts, must)
			if err != nil {
				return Answer{}, err
			}
			out.Matches = append(out.Matches, parts...)
		default:
			out.Matches = append(out.Matches, r.Key())
		}
	}
	return out, nil
}

// parts names the results that a match stands for.
func (k *Keyed) parts(r *keyedRecord, p *search.Parts, must search.Must) ([]string, error) {
	var out []string
	whole, err := k.meetsAll(r, p.Whole, must)
	if err != nil {
		return nil, err
	}
	if whole && len(p.Whole) > 0 {
		out = append(out, r.Key())
	}
	for i, keys := range search.ContainedKeys(r.keys) {
		ok, err := k.meetsAll(&keyedRecord{Record: r.Record, keys: keys}, p.Contained.Where, must)
		if err != nil {
			return nil, err
		}
		if ok && keys != nil {
			out = append(out, r.Key()+"#"+search.ContainedResource(r.Resource, i+1).ID())
		}
	}
	return out, nil
}

// Meets evaluates criteria on one loaded resource, "Type/id", all visible.
func (k *Keyed) Meets(key string, where []search.Clause) (bool, error) {
	for _, r := range k.records {
		if r.Key() == key {
			return k.meetsAll(r, where, search.Must{Unrestricted: true})
		}
	}
	return false, errors.New("not loaded")
}

func allows(must search.Must, r *keyedRecord) bool {
	return must.Allows(r.ref.Type, r.ref.ID, r.Labels)
}

func (k *Keyed) meetsAll(r *keyedRecord, where []search.Clause, must search.Must) (bool, error) {
	for i := range where {
		if ok, err := k.meets(r, &where[i], must); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (k *Keyed) meets(r *keyedRecord, c *search.Clause, must search.Must) (bool, error) {
	switch {
	case len(c.Any) > 0:
		for _, all := range c.Any {
			if ok, err := k.meetsAll(r, all, must); err != nil || ok {
				return ok != c.Not, err
			}
		}
		return c.Not, nil
	case c.Contained != nil:
		parts, err := k.parts(r, &search.Parts{Contained: *c.Contained}, must)
		return (len(parts) > 0) != c.Not, err
	case c.Chain != nil:
		ok, err := k.meetsChain(r, c, must)
		return ok != c.Not, err
	case c.Has != nil:
		ok, err := k.meetsHas(r, c.Has, must)
		return ok != c.Not, err
	}
	ranges, negate, err := c.Ranges()
	if err != nil {
		return false, err
	}
	return inRanges(r.keys, ranges) != negate, nil
}

func inRanges(keys [][]byte, ranges []search.Range) bool {
	for _, key := range keys {
		for _, g := range ranges {
			if g.Contains(key) {
				return true
			}
		}
	}
	return false
}

func (k *Keyed) meetsChain(r *keyedRecord, c *search.Clause, must search.Must) (bool, error) {
	for _, ref := range search.References(c.Param, r.keys) {
		for _, target := range k.records {
			if target.ref != ref || !slices.Contains(c.Chain.Types, ref.Type) || !allows(must, target) {
				continue
			}
			if ok, err := k.meets(target, &c.Chain.Where, must); err != nil || ok {
				return ok, err
			}
		}
	}
	return false, nil
}

func (k *Keyed) meetsHas(r *keyedRecord, h *search.Has, must search.Must) (bool, error) {
	want := search.ReferenceKey(h.Reference, r.ref.Type, r.ref.ID)
	for _, source := range k.records {
		_, refers := slices.BinarySearchFunc(source.keys, want, slices.Compare)
		if source.ref.Type != h.Type || !refers || !allows(must, source) {
			continue
		}
		if ok, err := k.meets(source, &h.Where, must); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}
