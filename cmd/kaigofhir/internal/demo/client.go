package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// client is one organisation's software: it speaks to the public API and
// knows nothing else of the server.
type client struct {
	base  string // http://HOST:PORT/fhir
	token string
	http  *http.Client
}

// file is one file of a vendor's export, as it lies on disk.
type file struct {
	name string
	data []byte
}

// resource is a resource as a client sees it: plain JSON.
type resource = map[string]any

// intake sends files to $intake and returns the transaction's response.
func (c *client) intake(ctx context.Context, files []file) (resource, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="file"; filename="%s"`, f.name))
		h.Set("Content-Type", "text/csv")
		part, err := form.CreatePart(h)
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	return c.send(ctx, http.MethodPost, "$intake", form.FormDataContentType(), body.Bytes())
}

// create posts a resource and returns it as stored.
func (c *client) create(ctx context.Context, r resource) (resource, error) {
	return c.sendResource(ctx, http.MethodPost, r["resourceType"].(string), r)
}

// update puts a resource under its id and returns it as stored.
func (c *client) update(ctx context.Context, r resource) (resource, error) {
	return c.sendResource(ctx, http.MethodPut, fmt.Sprintf("%s/%s", r["resourceType"], r["id"]), r)
}

// search returns the resources of the first page of a search.
func (c *client) search(ctx context.Context, resourceType string, query url.Values) ([]resource, error) {
	bundle, err := c.send(ctx, http.MethodGet, resourceType+"?"+query.Encode(), "", nil)
	if err != nil {
		return nil, err
	}
	var found []resource
	entries, _ := bundle["entry"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		if s, _ := entry["search"].(map[string]any); s["mode"] == "match" {
			r, _ := entry["resource"].(map[string]any)
			found = append(found, r)
		}
	}
	return found, nil
}

// status is an HTTP status as an error.
type status int

func (s status) Error() string { return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s))) }

func (c *client) sendResource(ctx context.Context, method, path string, r resource) (resource, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, method, path, "application/fhir+json", body)
}

func (c *client) send(ctx context.Context, method, path, contentType string, body []byte) (resource, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/fhir+json")
	req.Header.Set("Prefer", "return=representation")
	req.Header.Set("Authorization", "Bearer "+c.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %w: %s", method, path, status(res.StatusCode), strings.TrimSpace(string(text)))
	}
	var r resource
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return r, nil
}
