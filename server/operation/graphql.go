package operation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/graphql"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// GraphQLDefinition is the OperationDefinition of $graphql.
const GraphQLDefinition = "http://hl7.org/fhir/OperationDefinition/Resource-graphql"

// GraphQLRequest is a query as GraphQL clients send it.
// https://graphql.org/learn/serving-over-http/
type GraphQLRequest struct {
	Query         string                     `json:"query"`
	OperationName string                     `json:"operationName"`
	Variables     map[string]json.RawMessage `json:"variables"`
}

// GraphQL answers $graphql: on one resource where ask names it, else on the
// system. Every resource it hands out came through the interactions, as the
// caller. https://hl7.org/fhir/R4/graphql.html
func GraphQL(s *interaction.Service, now func() time.Time) func(context.Context, interaction.Call, interaction.OperationRequest, GraphQLRequest) ([]byte, error) {
	return func(ctx context.Context, c interaction.Call, ask interaction.OperationRequest, q GraphQLRequest) ([]byte, error) {
		doc, err := graphql.Parse(q.Query)
		if err != nil {
			return nil, badQuery(err)
		}
		source := &graphSource{service: s, call: c}
		req := graphql.Request{Document: doc, Operation: q.OperationName, Variables: q.Variables, Source: source, Now: now()}
		if ask.Type != "" {
			v, err := s.Read(ctx, c, store.Key{Type: ask.Type, ID: ask.ID})
			if err != nil {
				return nil, err
			}
			if req.Focus, err = decodeStored(v.JSON); err != nil {
				return nil, err
			}
		}
		result, err := graphql.Execute(ctx, req)
		if err != nil {
			return nil, badQuery(err)
		}
		return json.Marshal(map[string]any{"data": result})
	}
}

// badQuery makes a refusal of what is wrong with the query; other errors, such
// as those of the interactions, stay what they are.
func badQuery(err error) error {
	var issues fhir.Issues
	if errors.As(err, new(*interaction.Refusal)) {
		return err
	}
	if errors.As(err, &issues) {
		return interaction.RefuseAll(interaction.BadRequest, issues)
	}
	return err
}

func decodeStored(data []byte) (*fhir.Element, error) {
	e, err := fhirjson.Decode(data, fhirjson.Options{})
	if err != nil {
		return nil, interaction.Internalf(err)
	}
	return e, nil
}

// graphSource gives a query what its caller may see.
type graphSource struct {
	service *interaction.Service
	call    interaction.Call
}

// Resolve implements graphql.Source. A reference the server does not hold, or
// the caller may not see, has no resource.
func (g *graphSource) Resolve(ctx context.Context, reference string) (*fhir.Element, error) {
	local := strings.TrimPrefix(reference, g.call.Base+"/")
	local, _, _ = strings.Cut(local, "/_history/")
	resourceType, id, ok := strings.Cut(local, "/")
	if !ok || !interaction.IsResourceType(resourceType) || !interaction.ValidID(id) {
		return nil, nil
	}
	v, err := g.service.Read(ctx, g.call, store.Key{Type: resourceType, ID: id})
	if err != nil {
		switch interaction.AsRefusal(err).Reason {
		case interaction.Unknown, interaction.Gone, interaction.Denied:
			return nil, nil
		}
		return nil, err
	}
	return decodeStored(v.JSON)
}

// Search implements graphql.Source.
func (g *graphSource) Search(ctx context.Context, resourceType string, params []graphql.Param) (graphql.Page, error) {
	pairs := make([]string, len(params))
	for i, p := range params {
		if p.Name == "_contained" && p.Value != "false" {
			return graphql.Page{}, interaction.Refuse(interaction.BadRequest, fhir.NotSupported, "graphql-contained", fhir.Messagef(
				"lists cannot look into contained resources", "一覧では contained リソースを検索できません"))
		}
		pairs[i] = url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
	}
	b, err := g.service.Search(ctx, g.call, interaction.SearchRequest{Type: resourceType, Query: strings.Join(pairs, "&")})
	if err != nil {
		return graphql.Page{}, err
	}
	page := graphql.Page{Total: int(b.Total)}
	for _, l := range b.Links {
		switch l.Relation {
		case "first":
			page.First = l.URL
		case "previous":
			page.Previous = l.URL
		case "next":
			page.Next = l.URL
		case "last":
			page.Last = l.URL
		}
	}
	for _, e := range b.Entries {
		if e.Mode != "match" {
			continue
		}
		r, err := decodeStored(e.Resource)
		if err != nil {
			return page, err
		}
		page.Resources = append(page.Resources, r)
	}
	page.Size = len(page.Resources)
	return page, nil
}
