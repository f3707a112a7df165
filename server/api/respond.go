package api

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// send writes an answer whose content is JSON, in the format asked for.
func (x *exchange) send(status int, json []byte) error {
	if x.format == xmlFormat || x.pretty {
		e, err := fhirjson.Decode(json, fhirjson.Options{MaxBytes: 1 << 30, MaxDepth: 1000})
		if err != nil {
			return interaction.Internalf(err)
		}
		return x.sendElement(status, e)
	}
	x.write(status, contentTypes[jsonFormat], json)
	return nil
}

// sendElement writes an answer that is a tree.
func (x *exchange) sendElement(status int, e *fhir.Element) error {
	var data []byte
	switch {
	case x.format == xmlFormat:
		data = encodeXML(e, x.pretty)
	case x.pretty:
		data = fhirjson.AppendIndent(nil, e)
	default:
		data = fhirjson.Append(nil, e)
	}
	x.write(status, contentTypes[x.format], data)
	return nil
}

// write puts the answer on the wire, compressed where the client takes it.
func (x *exchange) write(status int, contentType string, data []byte) {
	h := x.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Add("Vary", "Accept, Accept-Encoding, Accept-Language, Authorization, Prefer")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	if encoding, ok := compressible(x.Request, len(data)); ok {
		h.Set("Content-Encoding", encoding)
		data = compress(encoding, data)
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	x.Writer.WriteHeader(status)
	if x.Request.Method != http.MethodHead {
		_, _ = x.Writer.Write(data) //nolint:errcheck // the client has gone
	}
}

// fail answers with an OperationOutcome.
func (x *exchange) fail(err error) {
	r := interaction.AsRefusal(err)
	status := statuses[r.Reason]
	if r.Reason == interaction.Internal {
		x.api.cfg.Log.Error("request failed", slog.String("request", x.call.RequestID), slog.Any("error", r.Err))
	}
	if r.Reason == interaction.Anonymous {
		challenge := `Bearer realm="fhir"`
		if x.GetHeader("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		x.Header("WWW-Authenticate", challenge)
	}
	_ = x.sendElement(status, fhir.Outcome(r.Issues, x.lang)) //nolint:errcheck // cannot fail
}

// stamp sets ETag and Last-Modified of a version.
func (x *exchange) stamp(v store.Version) {
	if v.Version == 0 {
		return
	}
	x.Header("ETag", interaction.ETag(v.Version))
	x.Header("Last-Modified", v.Time.UTC().Format(http.TimeFormat))
}

// sendVersion answers a read.
func (x *exchange) sendVersion(v store.Version) error {
	// A value that is not an HTTP date counts for nothing (RFC 9110, 13.1.3).
	since, _ := http.ParseTime(x.GetHeader("If-Modified-Since"))
	if interaction.Fresh(v, x.GetHeader("If-None-Match"), since) {
		x.stamp(v)
		x.Writer.WriteHeader(http.StatusNotModified)
		x.Writer.WriteHeaderNow()
		return nil
	}
	shape, err := interaction.ShapeOf(x.rawQuery())
	if err != nil {
		return err
	}
	json, err := shape.Apply(v.JSON)
	if err != nil {
		return err
	}
	x.stamp(v)
	return x.send(http.StatusOK, json)
}

// sendWritten answers a write. https://hl7.org/fhir/R4/http.html#ops
func (x *exchange) sendWritten(w interaction.Written) error {
	status := effects[w.Effect]
	x.stamp(w.Version)
	v := w.Version
	if v.ID != "" && w.Effect != interaction.Deleted {
		location := x.call.Base + "/" + v.Key.String()
		if v.Version > 0 {
			location += "/_history/" + strconv.FormatUint(v.Version, 10)
		}
		if w.Effect == interaction.Created {
			x.Header("Location", location)
		}
		x.Header("Content-Location", location)
	}
	switch {
	case x.prefer.ret == interaction.ReturnOutcome:
		if status == http.StatusNoContent {
			status = http.StatusOK
		}
		return x.sendElement(status, fhir.Outcome(append(fhir.Issues{interaction.Done(w.Effect)}, w.Issues...), x.lang))
	case x.prefer.ret == interaction.ReturnMinimal || v.JSON == nil || w.Effect == interaction.Deleted:
		x.Writer.WriteHeader(status)
		x.Writer.WriteHeaderNow()
		return nil
	}
	return x.send(status, v.JSON)
}

// sendBundle answers with a Bundle.
func (x *exchange) sendBundle(b *interaction.Bundle) error {
	if !b.Timestamp.IsZero() {
		x.Header("Last-Modified", b.Timestamp.UTC().Truncate(time.Second).Format(http.TimeFormat))
	}
	buf := pages.Get().(*[]byte) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	*buf = appendBundle(slices.Grow((*buf)[:0], bundleSize(b)), b, x.lang)
	err := x.send(http.StatusOK, *buf)
	if x.Request.ProtoMajor == 1 && cap(*buf) <= maxPooled {
		pages.Put(buf)
	}
	return err
}

// pages holds buffers that Bundles are put together in. With HTTP/1 nobody reads
// one once it is written; an HTTP/2 stream that the client has ended may still be
// sending from it, and must not send the answer to somebody else. Larger ones
// than maxPooled are left to the collector.
var pages = sync.Pool{New: func() any { return new([]byte) }}

const maxPooled = 1 << 20

// bundleSize guesses the length of an encoded Bundle.
func bundleSize(b *interaction.Bundle) int {
	n := 512
	for i := range b.Entries {
		n += len(b.Entries[i].Resource) + 256
	}
	return n
}

// sendReply answers an operation.
func (x *exchange) sendReply(r *interaction.Reply) error {
	switch {
	case r.Err != nil:
		return r.Err
	case r.Later != nil:
		return x.start(r.Later.Kind, r.Later.Payload)
	case r.Bundle != nil:
		return x.sendBundle(r.Bundle)
	case r.Resource != nil:
		return x.sendElement(replyStatus(r), r.Resource)
	case r.Version.JSON != nil:
		x.stamp(r.Version)
		return x.send(replyStatus(r), r.Version.JSON)
	case len(r.Issues) > 0:
		return x.sendElement(replyStatus(r), fhir.Outcome(r.Issues, x.lang))
	}
	x.Writer.WriteHeader(http.StatusNoContent)
	x.Writer.WriteHeaderNow()
	return nil
}
