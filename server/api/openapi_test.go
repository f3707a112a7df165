package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// TestOpenAPIDescribesWhatIsRegistered compares the description with the
// CapabilityStatement, which is made from the same registrations.
func TestOpenAPIDescribesWhatIsRegistered(t *testing.T) {
	srv := servertest.Start(t)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []struct{ Name, In string }
		} `json:"paths"`
		Components struct{ Schemas, Responses map[string]any }
	}
	text := get(t, srv.URL+"/openapi.json")
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q", doc.OpenAPI)
	}
	ids := map[string]string{}
	for path, item := range doc.Paths {
		for method, o := range item {
			if other, twice := ids[o.OperationID]; twice || o.OperationID == "" {
				t.Errorf("operationId %q of %s %s stands at %s too", o.OperationID, method, path, other)
			}
			ids[o.OperationID] = method + " " + path
		}
	}
	var capability struct {
		Rest []struct {
			Resource []struct {
				Type        string
				SearchParam []struct{ Name string }
				Operation   []struct{ Name string }
			}
		}
	}
	if err := json.Unmarshal(get(t, srv.URL+"/metadata"), &capability); err != nil {
		t.Fatal(err)
	}
	for _, r := range capability.Rest[0].Resource {
		described := map[string]bool{}
		for _, p := range doc.Paths["/"+r.Type]["get"].Parameters {
			described[p.Name] = true
		}
		for _, p := range r.SearchParam {
			if !described[p.Name] {
				t.Errorf("%s: parameter %s is not described", r.Type, p.Name)
			}
		}
	}
	for ref := range strings.SplitSeq(string(text), `"$ref":"#/components/`) {
		kind, rest, ok := strings.Cut(ref, "/")
		name, _, _ := strings.Cut(rest, `"`)
		switch {
		case !ok:
		case kind == "schemas" && doc.Components.Schemas[name] == nil, kind == "responses" && doc.Components.Responses[name] == nil:
			t.Errorf("a $ref points to %s/%s, which is not there", kind, name)
		}
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, res.Status)
	}
	var text json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&text); err != nil {
		t.Fatal(err)
	}
	return text
}
