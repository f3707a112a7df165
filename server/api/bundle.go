package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

const instantFormat = "2006-01-02T15:04:05.000Z"

// writer builds JSON around resources that are encoded already: a page of a
// search is copied together, not decoded and encoded again.
type writer struct {
	buf  []byte
	lang fhir.Language
}

func (w *writer) raw(s string) { w.buf = append(w.buf, s...) }

func (w *writer) quoted(s string) {
	b, err := jsontext.AppendQuote(w.buf, s)
	if err != nil { // bad UTF-8: replaced, not refused
		b, _ = jsontext.AppendQuote(w.buf, strings.ToValidUTF8(s, "\uFFFD"))
	}
	w.buf = b
}

// field writes ,"name":"value" unless value is empty.
func (w *writer) field(name, value string) {
	if value == "" {
		return
	}
	w.raw(`,"`)
	w.raw(name)
	w.raw(`":`)
	w.quoted(value)
}

// appendBundle writes a Bundle as JSON.
func appendBundle(dst []byte, b *interaction.Bundle, lang fhir.Language) []byte {
	w := &writer{buf: dst, lang: lang}
	w.bundle(b)
	return w.buf
}

func (w *writer) bundle(b *interaction.Bundle) {
	w.raw(`{"resourceType":"Bundle","type":"` + b.Type + `"`)
	if !b.Timestamp.IsZero() {
		w.field("timestamp", b.Timestamp.UTC().Format(instantFormat))
	}
	if b.Total >= 0 {
		w.raw(`,"total":` + strconv.FormatInt(b.Total, 10))
	}
	w.list("link", len(b.Links), func(i int) {
		w.raw(`{"relation":"` + b.Links[i].Relation + `"`)
		w.field("url", b.Links[i].URL)
		w.raw("}")
	})
	w.list("entry", len(b.Entries), func(i int) { w.entry(b, &b.Entries[i]) })
	w.raw("}")
}

// list writes ,"name":[…] unless it is empty.
func (w *writer) list(name string, n int, item func(int)) {
	if n == 0 {
		return
	}
	w.raw(`,"` + name + `":[`)
	for i := range n {
		if i > 0 {
			w.raw(",")
		}
		item(i)
	}
	w.raw("]")
}

// entry writes one entry. The order of its elements is that of R4.
func (w *writer) entry(b *interaction.Bundle, e *interaction.Entry) {
	start := len(w.buf)
	w.field("fullUrl", e.FullURL)
	switch {
	case e.Resource != nil:
		w.raw(`,"resource":`)
		w.buf = append(w.buf, e.Resource...)
	case e.Reply != nil && e.Reply.Err == nil && (e.Reply.Bundle != nil || e.Reply.Resource != nil || e.Reply.Show && len(e.Reply.Version.JSON) > 0): // a hidden match has none
		w.raw(`,"resource":`)
		w.buf = appendReply(w.buf, e.Reply, w.lang)
	}
	if e.Mode != "" {
		w.raw(`,"search":{"mode":"`)
		w.raw(e.Mode)
		w.raw(`"}`)
	}
	if e.Request != nil {
		w.raw(`,"request":{"method":"` + e.Request.Method + `"`)
		w.field("url", e.Request.URL)
		w.raw("}")
	}
	if e.Reply != nil {
		w.response(b, e.Reply)
	}
	if start == len(w.buf) {
		w.raw("{}")
		return
	}
	w.buf[start] = '{' // in the place of the first comma
	w.raw("}")
}

func (w *writer) response(b *interaction.Bundle, r *interaction.Reply) {
	status := replyStatus(r)
	w.raw(`,"response":{"status":"` + strconv.Itoa(status) + " " + http.StatusText(status) + `"`)
	v := r.Version
	if r.Err == nil && v.Version > 0 {
		if r.Effect == interaction.Created || r.Effect == interaction.Updated || r.Effect == interaction.Matched {
			w.field("location", v.Key.String()+"/_history/"+strconv.FormatUint(v.Version, 10))
		}
		w.field("etag", interaction.ETag(v.Version))
		w.field("lastModified", v.Time.UTC().Format(instantFormat))
	} else if r.Err == nil && r.Effect == interaction.Matched {
		w.field("location", v.Key.String()) // a hidden match: no more than its id
	}
	issues := r.Issues
	if r.Err != nil {
		issues = interaction.AsRefusal(r.Err).Issues
	}
	if len(issues) > 0 {
		w.raw(`,"outcome":`)
		w.buf = fhirjson.Append(w.buf, fhir.Outcome(issues, w.lang))
	}
	w.raw("}")
}

// appendReply writes the resource of an answer.
func appendReply(dst []byte, r *interaction.Reply, lang fhir.Language) []byte {
	switch {
	case r.Bundle != nil:
		return appendBundle(dst, r.Bundle, lang)
	case r.Resource != nil:
		return fhirjson.Append(dst, r.Resource)
	}
	return append(dst, r.Version.JSON...)
}
