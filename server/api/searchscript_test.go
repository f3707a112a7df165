package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// TestSearchScripts runs every search script over HTTP: load by transaction,
// search by GET and by POST. All runs, nothing is left out.
func TestSearchScripts(t *testing.T) {
	searchscript.Run(t, func(t *testing.T) searchscript.Engine { return openScripted(t, http.MethodGet) })
}

// TestSearchScriptsByPost does the same with POST …/_search.
func TestSearchScriptsByPost(t *testing.T) {
	searchscript.Run(t, func(t *testing.T) searchscript.Engine { return openScripted(t, http.MethodPost) })
}

// scripted is a server whose policy is what a script says.
type scripted struct {
	t      *testing.T
	method string
	http   *httptest.Server
	must   search.Must
	scopes policy.Scopes
	labels map[string]search.Labels
}

func openScripted(t *testing.T, method string) *scripted {
	t.Helper()
	e := &scripted{t: t, method: method, labels: map[string]search.Labels{}, scopes: policy.Everything(sharing.National(), policy.Operator)}
	clock := servertest.NewClock()
	st, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := search.New(searchscript.Options())
	if err != nil {
		t.Fatal(err)
	}
	service, err := interaction.New(interaction.Config{Store: st, Policy: e, Registry: registry, Now: clock.Now,
		NewID: servertest.Counter(), Key: make([]byte, 32), Options: interaction.Options{ClientIDs: true, DefaultCount: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Config{Service: service, BaseURL: searchscript.BaseURL, Now: clock.Now, NewID: servertest.Counter(),
		Authenticate: func(r *http.Request) (policy.Caller, error) {
			if r.URL.Path == api.BasePath && r.Method == http.MethodPost {
				return policy.Caller{Unrestricted: true}, nil
			}
			return policy.Caller{Unrestricted: e.must.Unrestricted, Scopes: e.scopes}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	e.http = httptest.NewServer(handler)
	t.Cleanup(func() {
		e.http.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Visibility, Label and MayWrite are the policy.
func (e *scripted) Visibility(context.Context, policy.Caller) (search.Must, error) {
	return e.must, nil
}

func (e *scripted) Label(_ context.Context, _ policy.Caller, r *fhir.Element, _ *search.Labels) (search.Labels, error) {
	return e.labels[r.ResourceType()+"/"+r.ID()], nil
}

func (e *scripted) MayWrite(context.Context, policy.Caller, policy.Action, *fhir.Element, search.Labels) error {
	return nil
}

// Load stores the resources of a script in one transaction.
func (e *scripted) Load(records []*searchscript.Record) error {
	var entries []string
	for _, r := range records {
		e.labels[r.Key()] = r.Labels
		entries = append(entries, "PUT "+r.Key()+" "+string(fhirjson.Append(nil, r.Resource)))
	}
	res, err := e.http.Client().Post(e.http.URL+api.BasePath, "application/fhir+json", strings.NewReader(bundleOf("transaction", entries...)))
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read no further
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("load: status %d", res.StatusCode)
	}
	return nil
}

// Search sends a search of a script.
func (e *scripted) Search(resourceType, query string, must search.Must) (searchscript.Answer, error) {
	e.must = must
	c := servertest.NewClient(e.t, e.http.URL+api.BasePath, e.http.Client())
	var r *servertest.Response
	if e.method == http.MethodPost {
		r = c.Do(http.MethodPost, strings.TrimPrefix(resourceType+"/_search", "/"), query, "Content-Type: application/x-www-form-urlencoded")
	} else {
		r = c.Search(resourceType + "?" + strings.ReplaceAll(query, "#", "%23"))
	}
	out := r.Resource()
	if r.Status >= 400 {
		return searchscript.Answer{Refused: issuesOf(out)}, nil
	}
	a := searchscript.Answer{Total: -1, Matches: names(out), Included: r.Keys("include")}
	if total := out.Text("total"); total != "" {
		n, err := strconv.ParseInt(total, 10, 64)
		if err != nil {
			return a, err
		}
		a.Total = n
	}
	for entry := range out.All("entry") {
		if entry.Text("search", "mode") != "outcome" {
			continue
		}
		for _, i := range issuesOf(entry.Get("resource")) {
			if name, err := strconv.Unquote(between(i.Message.En)); err == nil {
				a.Unknown = append(a.Unknown, name)
			}
		}
	}
	return a, checkSelf(r, query)
}

// names are the URLs of the matches below the base: "Type/id", and for a
// contained resource "Type/id#id".
func names(bundle *fhir.Element) []string {
	var out []string
	for entry := range bundle.All("entry") {
		if entry.Text("search", "mode") != "match" {
			continue
		}
		name := strings.TrimPrefix(entry.Text("fullUrl"), searchscript.BaseURL+"/")
		if resource := entry.Get("resource"); !strings.HasSuffix(name, resource.ID()) || !strings.Contains(name, "#") && !strings.HasPrefix(name, resource.ResourceType()+"/") {
			name += " with " + resource.ResourceType() + "/" + resource.ID()
		}
		out = append(out, name)
	}
	return out
}

// checkSelf makes sure that the self link asks for the same.
func checkSelf(r *servertest.Response, query string) error {
	self, err := url.Parse(r.Link("self"))
	if err != nil {
		return err
	}
	if _, err := url.ParseQuery(self.RawQuery); err != nil {
		return fmt.Errorf("self link of %s: %w", query, err)
	}
	return nil
}

// between returns the quoted part of a text, quotes included.
func between(text string) string {
	i, j := strings.IndexByte(text, '"'), strings.LastIndexByte(text, '"')
	if i < 0 || i == j {
		return ""
	}
	return text[i : j+1]
}

func issuesOf(outcome *fhir.Element) fhir.Issues {
	var list fhir.Issues
	for i := range outcome.All("issue") {
		list = append(list, fhir.Issue{Severity: fhir.Severity(i.Text("severity")), Code: fhir.Code(i.Text("code")),
			Message: fhir.Message{En: i.Text("details", "text")}, Expression: i.Text("expression")})
	}
	return list
}
