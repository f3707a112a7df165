package interaction

import (
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Bundle is a Bundle the server answers with, its resources still encoded.
// https://hl7.org/fhir/R4/bundle.html
type Bundle struct {
	Type      string // searchset, history, batch-response, transaction-response
	Timestamp time.Time
	Total     int64 // -1: not told
	Links     []Link
	Entries   []Entry
	// Subsetted marks the Bundle of a search that asked for a part only.
	Subsetted bool
}

// Link is one link of a Bundle. URL is absolute.
type Link struct{ Relation, URL string }

// Next returns the query string of the next page, "" where this is the last.
func (b *Bundle) Next() string {
	for _, l := range b.Links {
		if l.Relation == "next" {
			_, query, _ := strings.Cut(l.URL, "?")
			return query
		}
	}
	return ""
}

// Entry is one entry of a Bundle.
type Entry struct {
	// FullURL is absolute, "" where the entry has none.
	FullURL string
	// Resource is JSON, nil where the entry has none.
	Resource []byte
	Mode     string // of a search: match, include, outcome
	// Labels of a match or include, for what runs inside the server.
	Labels  search.Labels
	Request *EntryRequest
	Reply   *Reply
}

// EntryRequest is how a version of a history came about.
type EntryRequest struct{ Method, URL string }

// Reply is the answer to one request: of a batch or transaction entry, of one
// version in a history, of an operation. Package api gives it its status.
type Reply struct {
	// Err, where not nil, is why the request was refused; the rest is unset.
	Err error
	// Effect of a write, 0 for a read.
	Effect Effect
	// Version is what was read or written. Its JSON goes into the answer
	// where Show is set.
	Version store.Version
	Show    bool
	// Bundle is the answer of a search or history.
	Bundle *Bundle
	// Resource is the answer of an operation.
	Resource *fhir.Element
	// Later, where not nil, is the stored job that is to do the work.
	Later *Later
	// Issues go into an OperationOutcome beside a success.
	Issues fhir.Issues
	// NotModified reports that the version is the one the client has.
	NotModified bool
}

// Later is a stored job to be started in the name of the caller.
type Later struct {
	Kind    string
	Payload any
}

// fullURL returns the absolute URL of a resource.
func (c *Call) fullURL(key store.Key) string { return c.Base + "/" + key.Type + "/" + key.ID }
