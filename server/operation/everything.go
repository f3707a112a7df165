package operation

import (
	"context"
	"net/url"
	"strings"

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
		ask.Query, ask.Asked = everythingQuery(in)
	}
	b, err := e.Service.Search(ctx, c, ask)
	return &interaction.Reply{Bundle: b}, err
}

// everythingQuery turns the operation's parameters into those of a search, and
// into the query string by which the operation is called again.
func everythingQuery(in Input) (query, asked string) {
	q, own := url.Values{"_include": {"*"}}, url.Values{}
	for name, as := range map[string]string{"_since": "_lastUpdated", "_type": "_type", "_count": "_count", "start": "", "end": ""} {
		value := strings.Join(in.Texts(name), ",")
		if value == "" {
			continue
		}
		own.Set(name, value)
		if name == "_since" {
			value = "ge" + value
		}
		if as != "" {
			q.Set(as, value)
		}
	}
	return q.Encode(), own.Encode()
}
