package servertest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

// Client talks to a server as one caller. A request that cannot be made at all
// fails the test; a refusal is an answer like any other.
type Client struct {
	t     testing.TB
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client of a server that was not started by this package.
func NewClient(t testing.TB, base string, h *http.Client) *Client {
	return &Client{t: t, base: base, http: h}
}

// Anonymous returns a client without a token.
func (s *Server) Anonymous() *Client { return &Client{t: s.t, base: s.URL, http: s.http.Client()} }

// On returns a client without a token for a subtest.
func (s *Server) On(t testing.TB) *Client { return &Client{t: t, base: s.URL, http: s.http.Client()} }

// On returns the client for a subtest.
func (c *Client) On(t testing.TB) *Client {
	moved := *c
	moved.t = t
	return &moved
}

// WithToken returns a client with an access token.
func (s *Server) WithToken(token string) *Client {
	return &Client{t: s.t, base: s.URL, token: token, http: s.http.Client()}
}

// Base returns the service base URL.
func (c *Client) Base() string { return c.base }

// Header is one header of a request, "Name: value".
type Header = string

// Do makes a request. The path is relative to the service base, or absolute.
// A body is sent as application/fhir+json unless a header says otherwise;
// "Content-Type: -" sends none.
func (c *Client) Do(method, path, body string, headers ...Header) *Response {
	c.t.Helper()
	target := path
	if !strings.HasPrefix(path, "http://") {
		target = c.base
		if path != "" && !strings.HasPrefix(path, "?") {
			target += "/"
		}
		target += strings.TrimPrefix(path, "/")
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, strings.TrimSpace(value))
		if strings.TrimSpace(value) == "-" {
			req.Header.Del(name)
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	data, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return &Response{t: c.t, Request: method + " " + path, Status: res.StatusCode, Header: res.Header, Body: data}
}

// Read makes a GET: "Patient/1".
func (c *Client) Read(path string, headers ...Header) *Response {
	c.t.Helper()
	return c.Do(http.MethodGet, path, "", headers...)
}

// Search makes a search by GET: "CarePlan?patient=1".
func (c *Client) Search(query string, headers ...Header) *Response {
	c.t.Helper()
	return c.Do(http.MethodGet, query, "", headers...)
}

// Create posts a resource to its type.
func (c *Client) Create(resource string, headers ...Header) *Response {
	c.t.Helper()
	return c.Do(http.MethodPost, typeOf(c.t, resource), resource, headers...)
}

// Update puts a resource under its type and id.
func (c *Client) Update(resource string, headers ...Header) *Response {
	c.t.Helper()
	e := decode(c.t, []byte(resource))
	return c.Do(http.MethodPut, e.ResourceType()+"/"+e.ID(), resource, headers...)
}

// Delete deletes "Patient/1", or what "Patient?…" matches.
func (c *Client) Delete(path string, headers ...Header) *Response {
	c.t.Helper()
	return c.Do(http.MethodDelete, path, "", headers...)
}

// Post sends a batch or transaction.
func (c *Client) Post(bundle string, headers ...Header) *Response {
	c.t.Helper()
	return c.Do(http.MethodPost, "", bundle, headers...)
}

// Form searches by POST.
func (c *Client) Form(path string, values url.Values) *Response {
	c.t.Helper()
	return c.Do(http.MethodPost, path, values.Encode(), "Content-Type: application/x-www-form-urlencoded")
}

func typeOf(t testing.TB, resource string) string {
	t.Helper()
	return decode(t, []byte(resource)).ResourceType()
}

func decode(t testing.TB, data []byte) *fhir.Element {
	t.Helper()
	e, err := fhirjson.Decode(data, fhirjson.Options{})
	if err != nil {
		t.Fatalf("%v in %.300s", err, data)
	}
	return e
}

// Response is an answer.
type Response struct {
	t       testing.TB
	Request string
	Status  int
	Header  http.Header
	Body    []byte
}

// Want fails the test unless the answer has that status. It returns the
// answer, so that calls chain.
func (r *Response) Want(status int) *Response {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("%s: status %d, want %d\n%.2000s", r.Request, r.Status, status, r.Body)
	}
	return r
}

// Resource returns the resource in the body.
func (r *Response) Resource() *fhir.Element {
	r.t.Helper()
	return decode(r.t, r.Body)
}

// ID returns the id of the resource in the body.
func (r *Response) ID() string {
	r.t.Helper()
	return r.Resource().ID()
}

// Total returns Bundle.total, "" where there is none.
func (r *Response) Total() string {
	r.t.Helper()
	return r.Resource().Text("total")
}

// Keys returns "Type/id" of the entries with that search mode, in order; with
// "" of all entries that have a resource.
func (r *Response) Keys(mode string) []string {
	r.t.Helper()
	keys := []string{}
	for e := range r.Resource().All("entry") {
		res := e.Get("resource")
		if res != nil && (mode == "" || e.Text("search", "mode") == mode) {
			keys = append(keys, res.ResourceType()+"/"+res.ID())
		}
	}
	return keys
}

// Link returns a link of the Bundle, "" where there is none.
func (r *Response) Link(relation string) string {
	r.t.Helper()
	for l := range r.Resource().All("link") {
		if l.Text("relation") == relation {
			return l.Text("url")
		}
	}
	return ""
}

// Issue returns "code/id" of the first issue of an OperationOutcome.
func (r *Response) Issue() string {
	r.t.Helper()
	e := r.Resource()
	if e.ResourceType() != "OperationOutcome" {
		r.t.Fatalf("%s: body is a %s, not an OperationOutcome", r.Request, e.ResourceType())
	}
	return e.Text("issue", "code") + "/" + e.Text("issue", "details", "coding", "code")
}
