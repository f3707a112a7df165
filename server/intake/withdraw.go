package intake

import (
	"context"
	"net/url"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// derivation says what the forms make of a record besides the record itself:
// resources of a type whose identifiers begin with that of the record.
type derivation struct {
	record, system string // type of the record and the system of its identifier
	derived        string // type of what is derived
	// by is the search parameter by which a derived resource is found, from
	// the reference that the record has there itself; "" from the record.
	by, from string
}

var derivations = []derivation{
	{record: "QuestionnaireResponse", system: care.LifeRecordNumber, derived: "Observation", by: "derived-from"},
	{record: "CarePlan", system: care.CarePlanNumber, derived: "Goal", by: "subject", from: "subject"},
}

// withdraw adds to the transaction the deletion of what an earlier upload of
// the same records derived and this one does not: the value was corrected away
// and must not stay visible. History keeps it. Only what has the record's own
// author is deleted.
func (d *Desk) withdraw(ctx context.Context, c interaction.Call, bundle *fhir.Element) error {
	sent := map[string]bool{}
	for e := range bundle.All("entry") {
		r := e.Get("resource")
		for id := range r.All("identifier") {
			sent[identity(r.ResourceType(), id)] = true
		}
	}
	var stale []store.Key
	for e := range bundle.All("entry") {
		for _, how := range derivations {
			number := e.Get("resource").Text("identifier", "value")
			if e.Text("request", "method") != "PUT" || e.Get("resource").ResourceType() != how.record ||
				e.Get("resource").Text("identifier", "system") != how.system {
				continue
			}
			_, query, _ := strings.Cut(e.Text("request", "url"), "?")
			keys, err := d.stale(ctx, c, how, query, number, sent)
			if err != nil {
				return err
			}
			stale = append(stale, keys...)
		}
	}
	for _, key := range stale {
		bundle.Add("entry").Add("request").Set("method", "DELETE").Set("url", key.String())
	}
	return nil
}

// stale lists what was derived from the record that the query finds, as far as
// it was not sent again.
func (d *Desk) stale(ctx context.Context, c interaction.Call, how derivation, query, number string, sent map[string]bool) ([]store.Key, error) {
	before, err := d.all(ctx, c, how.record, query)
	if err != nil || len(before) != 1 {
		return nil, err // a new record; several are refused by the transaction
	}
	target := how.record + "/" + before[0].ID()
	if how.from != "" {
		target = before[0].Text(how.from, "reference")
	}
	found, err := d.all(ctx, c, how.derived, how.by+"="+url.QueryEscape(target))
	if err != nil {
		return nil, err
	}
	var keys []store.Key
	for _, r := range found {
		if r.author != before[0].author {
			continue
		}
		for id := range r.All("identifier") {
			if id.Text("system") == how.system && strings.HasPrefix(id.Text("value"), number+":") && !sent[identity(how.derived, id)] {
				keys = append(keys, store.Key{Type: how.derived, ID: r.ID()})
			}
		}
	}
	return keys, nil
}

func identity(resourceType string, id *fhir.Element) string {
	return resourceType + " " + id.Text("system") + "|" + id.Text("value")
}

// authored is a resource and the author of its labels.
type authored struct {
	*fhir.Element
	author string
}

// all returns every match of a search, page by page.
func (d *Desk) all(ctx context.Context, c interaction.Call, resourceType, query string) ([]authored, error) {
	var list []authored
	query += "&_total=none&_count=1000"
	for query != "" {
		b, err := d.Service.Search(ctx, c, interaction.SearchRequest{Type: resourceType, Query: query})
		if err != nil {
			return nil, err
		}
		for _, e := range b.Entries {
			if e.Mode != "match" {
				continue
			}
			r, err := fhirjson.Decode(e.Resource, fhirjson.Options{MaxBytes: 1 << 30, MaxDepth: 1000})
			if err != nil {
				return nil, interaction.Internalf(err)
			}
			list = append(list, authored{r, e.Labels.Author})
		}
		query = b.Next()
	}
	return list, nil
}
