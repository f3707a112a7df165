package storetest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Run runs the kit on stores that were opened with store.FHIRTerms: with
// Patients and Observations, whose keys package search extracts.
func Run(t *testing.T, open func(t *testing.T) store.Store) { RunExcept(t, nil, open) }

// RunExcept is Run without some cases, for deployments that are known to lack
// something.
func RunExcept(t *testing.T, skips Skips, open func(t *testing.T) store.Store) {
	r, err := search.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{open: open, dialect: fhirDialect{r}, skips: skips}
	k.run(t)
}

// fhirDialect makes FHIR resources of records.
type fhirDialect struct{ registry *search.Registry }

func (fhirDialect) terms() store.Terms { return store.FHIRTerms{} }

type object = map[string]any

func (d fhirDialect) stamp(key store.Key, r Record) stamp {
	return func(version uint64, at time.Time) ([]byte, [][]byte, error) {
		o := object{"resourceType": key.Type, "id": key.ID, "meta": object{
			"versionId": fmt.Sprint(version), "lastUpdated": at.Format("2006-01-02T15:04:05.000Z07:00"),
		}}
		fill(o, key.Type, r)
		raw, err := json.Marshal(o)
		if err != nil {
			return nil, nil, err
		}
		resource, err := fhirjson.Decode(raw, fhirjson.Options{})
		if err != nil {
			return nil, nil, err
		}
		keys, err := d.registry.Keys(resource)
		return raw, keys, err
	}
}

func fill(o object, typ string, r Record) {
	add := func(name string, value any) {
		list, _ := o[name].([]any)
		o[name] = append(list, value)
	}
	var codings []any
	for _, c := range r.Code {
		if typ == "Patient" {
			add("identifier", object{"value": c})
		}
		codings = append(codings, object{"code": c})
	}
	for _, n := range r.Name {
		add("name", object{"family": n})
	}
	for _, d := range r.Date {
		day := time.Unix(d*86400, 0).UTC().Format(time.DateOnly)
		if typ == "Patient" {
			o["birthDate"] = day
		} else {
			o["effectiveDateTime"] = day
		}
	}
	for _, s := range r.Subject {
		o["subject"] = object{"reference": s}
	}
	for i, inner := range r.Contained {
		c := object{"resourceType": typ, "id": fmt.Sprint("c", i)}
		fill(c, typ, inner)
		add("contained", c)
	}
	if typ == "Observation" {
		o["status"] = "final"
		o["code"] = object{"text": "t"}
		if codings != nil {
			o["code"] = object{"coding": codings}
		}
	}
}

func (fhirDialect) hasCode(v store.Version, code string) bool {
	return strings.Contains(string(v.JSON), fmt.Sprintf(`"value":%q`, code))
}

// code is what FHIR calls a parameter of the kit.
func (fhirDialect) code(typ, code string) string {
	switch {
	case typ == "Patient" && code == "code":
		return "identifier"
	case typ == "Patient" && code == "date":
		return "birthdate"
	}
	return code
}

func (d fhirDialect) param(typ, code string) *search.Parameter {
	p, ok := d.registry.Lookup(typ, d.code(typ, code))
	if !ok {
		panic("no parameter " + typ + " " + code)
	}
	return p
}

func (d fhirDialect) clause(typ, code string, m search.Modifier, values ...string) search.Clause {
	name := d.code(typ, code)
	if m != search.ModifierNone {
		name += ":" + string(m)
	}
	q, err := d.registry.Parse(typ, url.QueryEscape(name)+"="+url.QueryEscape(strings.Join(values, ",")))
	if err != nil || len(q.Query.Where) != 1 {
		panic(fmt.Sprintf("%s=%v: %v, %d criteria", name, values, err, len(q.Query.Where)))
	}
	return q.Query.Where[0]
}
