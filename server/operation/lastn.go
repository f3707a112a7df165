package operation

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// lastN returns the newest observations of each code.
// https://hl7.org/fhir/R4/observation-operation-lastn.html
func (e *Env) lastN() Operation {
	return Operation{
		Name: "lastn", Definition: "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
		Type: true, Types: []string{"Observation"}, Run: e.runLastN,
	}
}

// maxLastN bounds the observations looked through.
const maxLastN = 20_000

func (e *Env) runLastN(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	n, query, err := lastNQuery(in)
	if err != nil {
		return nil, err
	}
	out := &interaction.Bundle{Type: "searchset", Timestamp: e.Now(), Links: []interaction.Link{
		{Relation: "self", URL: c.Base + "/Observation/$lastn?" + in.Query}}}
	taken := map[string]int{}
	for looked := 0; query != ""; {
		page, err := e.Service.Search(ctx, c, interaction.SearchRequest{Type: "Observation", Query: query})
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Entries {
			group, err := codeOf(entry)
			if err != nil {
				return nil, err
			}
			if entry.Mode == "match" && taken[group] < n {
				taken[group]++
				out.Entries = append(out.Entries, entry)
			}
		}
		if looked += len(page.Entries); looked > maxLastN {
			return nil, interaction.Refuse(interaction.Unacceptable, fhir.TooCostly, "lastn-too-large", fhir.Messagef(
				"too many observations match; narrow the search", "一致する観察結果が多すぎます。条件を絞ってください"))
		}
		query = nextQuery(page)
	}
	out.Total = int64(len(out.Entries))
	return &interaction.Reply{Bundle: out}, nil
}

// lastNQuery reads max and turns the rest into a search, newest first.
func lastNQuery(in Input) (int, string, error) {
	n := 1
	if text := in.Text("max"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			return 0, "", interaction.Refuse(interaction.BadRequest, fhir.Value, "parameter-invalid", fhir.Messagef(
				"the value of the parameter %s is not valid", "パラメータ %s の値が正しくありません", "max"))
		}
	}
	criteria, err := url.ParseQuery(in.Query)
	if err != nil {
		return 0, "", missing("patient")
	}
	criteria.Del("max")
	if criteria.Get("patient") == "" && criteria.Get("subject") == "" {
		return 0, "", missing("patient")
	}
	criteria.Set("_sort", "-date")
	criteria.Set("_count", "1000")
	criteria.Set("_total", "none")
	return n, criteria.Encode(), nil
}

// codeOf returns what observations are grouped by: their codes or, without
// any, their text.
func codeOf(entry interaction.Entry) (string, error) {
	r, err := decode(entry.Resource)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for c := range r.Get("code").All("coding") {
		b.WriteString(c.Text("system") + "|" + c.Text("code") + " ")
	}
	if b.Len() == 0 {
		return r.Text("code", "text"), nil
	}
	return b.String(), nil
}

// nextQuery returns the query of the next page, "" at the end.
func nextQuery(b *interaction.Bundle) string {
	for _, l := range b.Links {
		if l.Relation == "next" {
			_, query, _ := strings.Cut(l.URL, "?")
			return query
		}
	}
	return ""
}
