package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/operation"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// asyncPath is where the state of asynchronous requests is asked for.
const asyncPath = "/_async"

// asyncFileName is the file that the manifest of a result names.
const asyncFileName = "result.ndjson"

// AsyncKind is the kind of the jobs that are requests.
const AsyncKind = "request"

// asyncRequest is a request that was accepted and is done later, in the name
// of its caller.
type asyncRequest struct {
	Method      string        `json:"method"`
	Target      string        `json:"target"` // path and query
	Interaction string        `json:"interaction"`
	Header      http.Header   `json:"header"`
	Body        []byte        `json:"body,omitempty"`
	Base        string        `json:"base"`
	Caller      policy.Caller `json:"caller"`
	// Reads says that the request changes nothing, so that it may be done
	// twice.
	Reads bool `json:"reads"`
}

// asyncHeaders go with a request; Accept does not, as the poller chooses the
// format.
var asyncHeaders = []string{"Content-Type", "Content-Encoding", "Content-Disposition", "Accept-Language", "If-None-Exist", "If-Match"}

// defers reports whether the request is to be answered later.
// https://hl7.org/fhir/R4/async.html
func (x *exchange) defers() bool {
	if !x.prefer.async || x.api.jobs == nil || x.Request.Method != http.MethodGet && x.Request.Method != http.MethodPost {
		return false
	}
	name := x.api.interactionOf(x.Context)
	if x.api.startsJob(name) {
		return false
	}
	return strings.HasPrefix(name, "search-") || strings.HasPrefix(name, "history-") || strings.HasPrefix(name, "$") || name == "transaction-batch"
}

// kickOff keeps the request and answers where to ask for its result.
func (x *exchange) kickOff() error {
	body, err := io.ReadAll(io.LimitReader(x.Request.Body, x.api.cfg.MaxBody+1))
	switch {
	case err != nil:
		return damaged()
	case int64(len(body)) > x.api.cfg.MaxBody:
		return tooLarge()
	}
	name := x.api.interactionOf(x.Context)
	ask := asyncRequest{
		Method: x.Request.Method, Target: x.Request.URL.RequestURI(), Interaction: name, Body: body, Base: x.call.Base,
		Caller: x.call.Caller, Reads: x.api.readsOnly(x.Request.Method, name), Header: http.Header{},
	}
	for _, h := range asyncHeaders {
		if v := x.GetHeader(h); v != "" {
			ask.Header.Set(h, v)
		}
	}
	ask.Header.Set("X-Request-Id", x.call.RequestID)
	if p := x.prefer.without(); p != "" {
		ask.Header.Set("Prefer", p)
	}
	return x.start(AsyncKind, ask)
}

// start keeps a job in the name of the caller and answers where to ask for its
// result.
func (x *exchange) start(kind string, payload any) error {
	if x.api.jobs == nil {
		return interaction.Internalf(errors.New("there are no jobs"))
	}
	j, err := x.api.jobs.Add(kind, interaction.Owner(x.call.Caller), payload)
	switch {
	case errors.Is(err, job.ErrTooMany):
		x.Header("Retry-After", "10")
		return interaction.Refuse(interaction.Throttled, fhir.Throttled, "async-limit", fhir.Messagef(
			"too many asynchronous requests of this client are under way", "処理中の非同期リクエストが多すぎます"))
	case errors.Is(err, job.ErrClosed):
		return interaction.Refuse(interaction.Unavailable, fhir.Transient, "stopping", fhir.Messagef(
			"the server is stopping; try again later", "サーバーを停止しています。後でもう一度お試しください"))
	case err != nil:
		return interaction.Internalf(err)
	}
	x.Header("Content-Location", x.call.Base+asyncPath+"/"+j.ID)
	return x.accepted(fhir.Messagef("accepted; ask for the result at the Content-Location", "受け付けました。結果は Content-Location の URL で確認してください"))
}

func (x *exchange) accepted(m fhir.Message) error {
	x.Header("Retry-After", "1")
	return x.sendElement(http.StatusAccepted, fhir.Outcome(fhir.Issues{{Severity: fhir.Information, Code: fhir.Informational, Message: m}}, x.lang))
}

// startsJob reports whether an interaction is an operation that starts a job of
// its own kind.
func (a *API) startsJob(name string) bool {
	return slices.ContainsFunc(a.cfg.Operations.All(), func(o operation.Operation) bool { return o.Job && "$"+o.Name == name })
}

// readsOnly reports whether an interaction changes nothing.
func (a *API) readsOnly(method, name string) bool {
	if op, ok := strings.CutPrefix(name, "$"); ok {
		for _, o := range a.operations() {
			if o.Name == op {
				return !o.Writes
			}
		}
		return false
	}
	return method == http.MethodGet || strings.HasPrefix(name, "search-")
}

// SetJobs lets requests be answered later. It is called before the first
// request, with a manager that has the kind AsyncKind.
func (a *API) SetJobs(m *job.Manager) { a.jobs = m }

// AsyncRequests is the kind of job that does requests later. What only reads
// may run again after a restart; of a write nobody knows whether it happened,
// so that it must not be done again.
func (a *API) AsyncRequests() job.Kind {
	return job.Kind{Run: a.runLater, Again: func(j job.Job) bool {
		var ask asyncRequest
		return json.Unmarshal(j.Payload, &ask) == nil && ask.Reads
	}}
}

// asyncResult is the answer to a request, kept until it is asked for.
type asyncResult struct {
	Status int             `json:"status"`
	Header http.Header     `json:"header"`
	Body   json.RawMessage `json:"body,omitempty"`
	// Seen is the fingerprint of what the caller could see when the answer was
	// made.
	Seen string `json:"seen"`
}

// later marks the context of a request that is done later.
type later struct{}

// runLater does a request as its caller.
func (a *API) runLater(ctx context.Context, t *job.Task) ([]byte, error) {
	var ask asyncRequest
	if err := json.Unmarshal(t.Payload, &ask); err != nil {
		return nil, err
	}
	// The fingerprint comes first: what is withdrawn meanwhile changes it.
	seen, err := a.cfg.Service.Fingerprint(ctx, ask.Caller)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(context.WithValue(ctx, later{}, &ask), ask.Method, ask.Target, bytes.NewReader(ask.Body))
	if err != nil {
		return nil, errors.New("the request cannot be made again")
	}
	r.Header = ask.Header
	w := &memoryAnswer{header: http.Header{}, status: http.StatusOK}
	a.engine.ServeHTTP(w, r)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.status >= http.StatusInternalServerError {
		return nil, errors.New("the request failed")
	}
	out := asyncResult{Status: w.status, Header: w.header, Seen: seen}
	if w.body.Len() > 0 {
		out.Body = w.body.Bytes()
	}
	return json.Marshal(out)
}

// memoryAnswer is a ResponseWriter that keeps the answer.
type memoryAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *memoryAnswer) Header() http.Header         { return w.header }
func (w *memoryAnswer) WriteHeader(status int)      { w.status = status }
func (w *memoryAnswer) Write(p []byte) (int, error) { return w.body.Write(p) }
