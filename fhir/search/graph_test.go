package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
)

// drawWorld makes a few resources that refer to each other, some to nothing.
func drawWorld(t *rapid.T) []*searchscript.Record {
	id := func(label string) string { return rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, label) }
	name := func() string {
		return rapid.SampledFrom([]string{"山田", "ヤマダ", "佐藤", "Smith"}).Draw(t, "name")
	}
	texts := map[string]string{}
	for range rapid.IntRange(1, 14).Draw(t, "resources") {
		typ, key := rapid.SampledFrom([]string{"Patient", "Organization", "Observation", "Group"}).Draw(t, "type"), id("id")
		body := ""
		switch typ {
		case "Patient":
			body = fmt.Sprintf(`"name":[{"family":%q}],"managingOrganization":{"reference":"Organization/%s"},"link":[{"type":"seealso","other":{"reference":"Patient/%s"}}]`, name(), id("org"), id("link"))
		case "Organization":
			body = fmt.Sprintf(`"name":%q,"partOf":{"reference":"Organization/%s"}`, name(), id("whole"))
		case "Observation":
			body = fmt.Sprintf(`"status":%q,"code":{"text":"x"},"subject":{"reference":"%s/%s"}`, rapid.SampledFrom([]string{"final", "amended"}).Draw(t, "status"),
				rapid.SampledFrom([]string{"Patient", "Group"}).Draw(t, "kind"), id("subject"))
		case "Group":
			body = fmt.Sprintf(`"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/%s"}}]`, id("member"))
		}
		texts[typ+"/"+key] = fmt.Sprintf(`{"resourceType":%q,"id":%q,%s}`, typ, key, body)
	}
	var out []*searchscript.Record
	for _, text := range texts {
		e, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out = append(out, &searchscript.Record{Resource: e})
	}
	slices.SortFunc(out, func(a, b *searchscript.Record) int { return strings.Compare(a.Key(), b.Key()) })
	for _, r := range out {
		r.Labels = search.Labels{Form: rapid.SampledFrom([]string{"", "careplan"}).Draw(t, "form"), Author: id("author"), Patients: []string{id("about")}}
	}
	return out
}

func drawMust(t *rapid.T) search.Must {
	switch rapid.IntRange(0, 3).Draw(t, "must") {
	case 0:
		return search.Must{Any: []search.Grant{{Authors: []string{"1", "2"}}}}
	case 1:
		return search.Must{Any: []search.Grant{{Types: []string{"Observation", "Group"}}, {Forms: []string{"careplan"}}}}
	}
	return search.Must{Unrestricted: true}
}

// TestChainsAgree compares keys with content over whole worlds: chains,
// reverse chains and the mandatory predicate along them.
func TestChainsAgree(t *testing.T) {
	r := newRegistry(t)
	queries := []struct{ typ, query string }{
		{"Observation", "subject.name=山田"}, {"Observation", "patient.name=やまだ"}, {"Observation", "subject:Patient.organization.name=smith"},
		{"Observation", "patient.organization.partof.name=佐藤"}, {"Observation", "subject:Group.member.name=smith"}, {"Observation", "subject._id=1"},
		{"Observation", "patient.link.name:missing=false&status:not=final"}, {"Patient", "_has:Observation:patient:status=final"},
		{"Patient", "_has:Observation:subject:status:not=final"}, {"Patient", "_has:Group:member:_has:Observation:subject:status=final"},
		{"Organization", "_has:Patient:organization:_has:Observation:patient:status=final"}, {"Organization", "_has:Organization:partof:name=smith"},
		{"Observation", "subject:Patient._has:Group:member:_id=1,2"}, {"", "_filter=_type eq Patient or _type eq Group"},
		{"Patient", "_filter=not (link.name eq smith) and organization.name ne smith"}, {"", "_id=1,2&_id:not=2"},
	}
	rapid.Check(t, func(t *rapid.T) {
		records := drawWorld(t)
		oracle, keyed := &searchscript.Oracle{Registry: r}, &searchscript.Keyed{Registry: r}
		if err := oracle.Load(records); err != nil {
			t.Fatal(err)
		}
		if err := keyed.Load(records); err != nil {
			t.Fatal(err)
		}
		must := drawMust(t)
		for _, q := range queries {
			query := strings.ReplaceAll(q.query, " ", "%20")
			want, err := oracle.Search(q.typ, query, must)
			if err != nil || want.Refused != nil || want.Unknown != nil {
				t.Fatalf("%s: %v %v %v", query, err, want.Refused, want.Unknown)
			}
			got, err := keyed.Search(q.typ, query, must)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want.Matches)
			slices.Sort(got.Matches)
			if !slices.Equal(got.Matches, want.Matches) {
				t.Fatalf("%s?%s: keys find %v, content %v", q.typ, query, got.Matches, want.Matches)
			}
		}
	})
}
