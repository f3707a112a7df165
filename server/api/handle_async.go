package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/job"
)

// asyncStatus answers how far an asynchronous request is: 202 until it has
// been done, then 200 with a Bundle. That of a batch or transaction is its
// response; other answers lie in a batch-response of one entry, which has the
// request's own status.
// https://hl7.org/fhir/R4/async.html https://hl7.org/fhir/R5/async-bundle.html
func asyncStatus(x *exchange) error {
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
		return x.asyncResult(j)
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
func (x *exchange) asyncResult(j job.Job) error {
	data, err := x.api.jobs.Result(j.ID)
	if err != nil {
		return interaction.Internalf(err)
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
	x.Header("Expires", x.api.jobs.Expires(j).UTC().Format(http.TimeFormat))
	x.Header("Cache-Control", "no-store")
	if ask.Interaction == "transaction-batch" && result.Status == http.StatusOK {
		return x.send(http.StatusOK, result.Body)
	}
	return x.send(http.StatusOK, result.bundle())
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
