package operation

import (
	"context"
	"net/url"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// everything returns a person's whole compartment, with what its resources
// refer to, page by page. https://hl7.org/fhir/R4/patient-operation-everything.html
func (e *Env) everything() Operation {
	return Operation{
		Name: "everything", Definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
		Instance: true, Types: []string{"Patient"}, Run: e.runEverything,
	}
}

func (e *Env) runEverything(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	key := store.Key{Type: in.Type, ID: in.ID}
	ask := interaction.SearchRequest{Compartment: key, Everything: true}
	if strings.Contains(in.Query, interaction.CursorParam) {
		ask.Query = in.Query
	} else {
		if _, err := e.Service.Read(ctx, c, key); err != nil {
			return nil, err
		}
		query, err := everythingQuery(in)
		if err != nil {
			return nil, err
		}
		ask.Query = query
	}
	b, err := e.Service.Search(ctx, c, ask)
	return &interaction.Reply{Bundle: b}, err
}

// everythingQuery turns the operation's parameters into those of a search.
func everythingQuery(in Input) (string, error) {
	for _, name := range []string{"start", "end"} {
		if in.Text(name) != "" {
			return "", interaction.Refuse(interaction.BadRequest, fhir.NotSupported, "parameter", fhir.Messagef(
				"the parameter %s is not supported", "パラメータ %s には対応していません", name))
		}
	}
	q := url.Values{"_include": {"*"}}
	if since := in.Text("_since"); since != "" {
		q.Set("_lastUpdated", "ge"+since)
	}
	if types := in.Texts("_type"); len(types) > 0 {
		q.Set("_type", strings.Join(types, ","))
	}
	if count := in.Text("_count"); count != "" {
		q.Set("_count", count)
	}
	return q.Encode(), nil
}
