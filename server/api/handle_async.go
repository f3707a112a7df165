package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/job"
)

// asyncStatus answers how far an asynchronous request is: 202 until it has
// been done, then 200 with a Bundle. That of a batch or transaction is its
// response; other answers lie in a batch-response of one entry, which has the
// request's own status. A client that accepts application/json alone gets R4's
// manifest instead, whose one file is that Bundle.
// https://hl7.org/fhir/R4/async.html https://hl7.org/fhir/R5/async-bundle.html
func asyncStatus(x *exchange) error {
	return x.asyncAnswer(func(j job.Job, body []byte) error {
		if x.GetHeader("Accept") == "application/json" && x.Query("_format") == "" {
			x.write(http.StatusOK, "application/json", x.manifest(j))
			return nil
		}
		return x.send(http.StatusOK, body)
	})
}

// asyncFile answers the file that the manifest names: the Bundle in one line.
func asyncFile(x *exchange) error {
	if x.Param("member") != asyncFileName {
		return noAsync()
	}
	return x.asyncAnswer(func(_ job.Job, body []byte) error {
		x.write(http.StatusOK, "application/fhir+ndjson", append(body, '\n'))
		return nil
	})
}

// manifest is what R4 answers to a request for the status of one that is done.
func (x *exchange) manifest(j job.Job) []byte {
	ask := asyncRequest{Target: BasePath + "/$" + j.Kind} // of an operation that starts a job
	if j.Kind == AsyncKind {
		_ = json.Unmarshal(j.Payload, &ask) //nolint:errcheck // it was read before
	}
	w := &writer{}
	w.raw(`{"transactionTime":"` + j.Finished.UTC().Format(instantFormat) + `"`)
	w.field("request", x.call.Base+strings.TrimPrefix(ask.Target, BasePath))
	w.raw(`,"requiresAccessToken":` + strconv.FormatBool(!x.api.cfg.Open) + `,"output":[{"type":"Bundle"`)
	w.field("url", x.call.Base+asyncPath+"/"+j.ID+"/"+asyncFileName)
	w.raw(`}],"error":[]}`)
	return w.buf
}

// asyncAnswer finds the request and hands its result to deliver, or answers
// why there is none yet.
func (x *exchange) asyncAnswer(deliver func(job.Job, []byte) error) error {
	if x.api.jobs == nil {
		return noRoute(x)
	}
	j, err := x.api.jobs.Get(x.Param("id"), interaction.Owner(x.call.Caller))
	if err != nil {
		return noAsync()
	}
	switch j.State {
	case job.Failed, job.Cancelled:
		return asyncFailed(j)
	case job.Done:
		return x.asyncResult(j, deliver)
	}
	x.Header("X-Progress", progress(j))
	x.Header("Retry-After", "1")
	x.Header("Cache-Control", "no-store")
	x.Writer.WriteHeader(http.StatusAccepted)
	x.Writer.WriteHeaderNow()
	return nil
}

// progress says in at most 100 characters how far a job is.
func progress(j job.Job) string {
	if j.Total > 0 {
		return string(j.State) + ": " + strconv.FormatInt(j.Done, 10) + " of " + strconv.FormatInt(j.Total, 10)
	}
	return string(j.State)
}

func noAsync() error {
	return interaction.Refuse(interaction.Unknown, fhir.NotFound, "async-unknown", fhir.Messagef(
		"there is no such asynchronous request of this client; results are kept for a day",
		"このクライアントの非同期リクエストは見つかりません。結果の保存期間は1日です"))
}

func asyncFailed(j job.Job) error {
	if j.Problem == "interrupted" {
		return interaction.Refuse(interaction.Internal, fhir.Exception, "async-interrupted", fhir.Messagef(
			"the server stopped while it wrote; it may or may not have been done: look before you send it again",
			"書き込み中にサーバーが停止しました。書き込まれたかどうか不明です。再送する前に確認してください"))
	}
	return interaction.Internalf(errors.New("the asynchronous request failed"))
}

// asyncResult hands out a result, if the policy still gives the caller what it
// gave when the result was made. Otherwise a reading request is done again, and
// a writing one, which cannot be, is answered without resources.
func (x *exchange) asyncResult(j job.Job, deliver func(job.Job, []byte) error) error {
	data, err := x.api.jobs.Result(j.ID)
	if err != nil {
		return interaction.Internalf(err)
	}
	if j.Kind != AsyncKind { // the operator's own, not a view of anybody's records
		x.expires(j)
		return deliver(j, (&asyncResult{Status: http.StatusOK, Body: data}).bundle())
	}
	var ask asyncRequest
	var result asyncResult
	if err := errors.Join(json.Unmarshal(j.Payload, &ask), json.Unmarshal(data, &result)); err != nil {
		return interaction.Internalf(err)
	}
	seen, err := x.api.cfg.Service.Fingerprint(x.Request.Context(), x.call.Caller)
	if err != nil {
		return err
	}
	if seen != result.Seen {
		if ask.Reads {
			ask.Caller = x.call.Caller
			if err := x.api.jobs.Again(j.ID, ask); err != nil {
				return interaction.Internalf(err)
			}
			x.Header("X-Progress", "queued again: what this client may see has changed")
			return x.accepted(fhir.Messagef("what this client may see has changed; the request is done again",
				"閲覧できる範囲が変わったため、リクエストをやり直しています"))
		}
		if result.Body, err = withoutResources(result.Body); err != nil {
			return err
		}
	}
	x.expires(j)
	if ask.Interaction == "transaction-batch" && result.Status == http.StatusOK {
		return deliver(j, result.Body)
	}
	return deliver(j, result.bundle())
}

// expires tells when a result is forgotten.
func (x *exchange) expires(j job.Job) {
	x.Header("Expires", x.api.jobs.Expires(j).UTC().Format(http.TimeFormat))
	x.Header("Cache-Control", "no-store")
}

// bundle puts the answer into a batch-response.
func (r *asyncResult) bundle() []byte {
	w := &writer{}
	w.raw(`{"resourceType":"Bundle","type":"batch-response","entry":[{`)
	failed := r.Status >= http.StatusBadRequest
	if len(r.Body) > 0 && !failed {
		w.raw(`"resource":`)
		w.buf = append(append(w.buf, r.Body...), ',')
	}
	w.raw(`"response":{"status":"` + strconv.Itoa(r.Status) + " " + http.StatusText(r.Status) + `"`)
	w.field("location", r.Header.Get("Location"))
	w.field("etag", r.Header.Get("ETag"))
	if len(r.Body) > 0 && failed {
		w.raw(`,"outcome":`)
		w.buf = append(w.buf, r.Body...)
	}
	w.raw("}}]}")
	return w.buf
}

// withoutResources leaves of an answer what was done, without content.
func withoutResources(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	e, err := fhirjson.Decode(body, fhirjson.Options{MaxBytes: 1 << 30, MaxDepth: 1000})
	if err != nil {
		return nil, interaction.Internalf(err)
	}
	switch e.ResourceType() {
	case "OperationOutcome":
		return body, nil
	case "Bundle":
		for entry := range e.All("entry") {
			entry.Children = slices.DeleteFunc(entry.Children, func(c *fhir.Element) bool { return c.Name == "resource" })
		}
		return fhirjson.Append(nil, e), nil
	}
	return nil, nil
}

// asyncCancel stops an asynchronous request, or forgets its result.
func asyncCancel(x *exchange) error {
	if x.api.jobs == nil {
		return noRoute(x)
	}
	err := x.api.jobs.Cancel(x.Param("id"), interaction.Owner(x.call.Caller))
	switch {
	case errors.Is(err, job.ErrUnknown):
		return noAsync()
	case err != nil:
		return interaction.Internalf(err)
	}
	return x.accepted(fhir.Messagef("cancelled", "取り消しました"))
}
