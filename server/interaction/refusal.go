package interaction

import (
	"errors"
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Reason is the kind of a refusal. Package api has the one table that gives
// each its HTTP status.
type Reason uint8

// The reasons.
const (
	Internal      Reason = iota // the server failed; the cause is never shown
	BadRequest                  // the request cannot be understood
	Unknown                     // no such resource, or not visible
	Gone                        // the resource is deleted, or the page has expired
	Denied                      // the caller may not do that
	Colliding                   // an edit conflict, or integrity would suffer
	Failed                      // a precondition does not hold, or a condition matches several
	Unacceptable                // understood, but against the rules for content
	Unallowed                   // the interaction is not offered here
	Unimplemented               // the server cannot do that at all
	Unavailable                 // not now
	TooLarge                    // more than the server takes
	Anonymous                   // no valid access token
	Throttled                   // too many requests of this client
	MediaType                   // the body is in a format the server does not read
	Format                      // no format the client accepts can be written
)

// Refusal is the error of an interaction: why it was not done.
type Refusal struct {
	Reason Reason
	Issues fhir.Issues
	// Err is the cause for the log; it is never shown to a client.
	Err error
}

// Error returns the first issue's text; it holds no personal data.
func (r *Refusal) Error() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %v", r.Issues.Error(), r.Err)
	}
	return r.Issues.Error()
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse returns a Refusal with one issue.
func Refuse(reason Reason, code fhir.Code, id string, m fhir.Message) *Refusal {
	return &Refusal{Reason: reason, Issues: fhir.Issues{{Severity: fhir.Error, Code: code, ID: id, Message: m}}}
}

// RefuseAll returns a Refusal for issues found elsewhere.
func RefuseAll(reason Reason, issues fhir.Issues) *Refusal {
	return &Refusal{Reason: reason, Issues: issues}
}

// at returns the refusal with the place put before every expression, for the
// entries of a Bundle.
func (r *Refusal) at(place string) *Refusal {
	moved := &Refusal{Reason: r.Reason, Err: r.Err, Issues: make(fhir.Issues, len(r.Issues))}
	for i, issue := range r.Issues {
		if issue.Expression == "" {
			issue.Expression = place
		} else {
			issue.Expression = place + ".resource" + afterRoot(issue.Expression)
		}
		moved.Issues[i] = issue
	}
	return moved
}

// afterRoot cuts the type name off an expression: "Patient.name[0]" gives
// ".name[0]".
func afterRoot(expression string) string {
	for i, c := range expression {
		if c == '.' || c == '[' {
			return expression[i:]
		}
	}
	return ""
}

// AsRefusal turns any error into a Refusal; one that is foreign becomes
// Internal, whose text tells a client nothing.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	var issues fhir.Issues
	switch {
	case errors.As(err, &issues) && len(issues) > 0 && issues[0].Code == fhir.Transient:
		return RefuseAll(Unavailable, issues)
	case errors.As(err, &issues):
		return RefuseAll(BadRequest, issues)
	case errors.Is(err, store.ErrUnsupported):
		return Refuse(BadRequest, fhir.NotSupported, "query-unsupported", fhir.Messagef(
			"the server cannot evaluate this search", "この検索には対応していません"))
	case errors.Is(err, store.ErrExpired):
		return Refuse(Gone, fhir.Expired, "page-expired", fhir.Messagef(
			"this page is no longer available; search again", "このページは有効期限が切れました。検索をやり直してください"))
	case errors.Is(err, store.ErrReadOnly):
		return Refuse(Unavailable, fhir.Transient, "read-only", fhir.Messagef(
			"the server takes no writes at the moment", "現在サーバーは書き込みを受け付けていません"))
	case errors.Is(err, store.ErrTooLarge):
		return Refuse(TooLarge, fhir.TooLong, "resource-too-large", fhir.Messagef(
			"a resource is larger than the server can keep", "リソースが大きすぎるため保存できません"))
	case errors.Is(err, store.ErrConflict):
		return Refuse(Colliding, fhir.Conflict, "write-conflict", fhir.Messagef(
			"the write collided with others; try again", "他の書き込みと競合しました。もう一度お試しください"))
	}
	r = Refuse(Internal, fhir.Exception, "internal", fhir.Messagef("internal error", "内部エラー"))
	r.Err = err
	return r
}

func notFound(key store.Key) *Refusal {
	return Refuse(Unknown, fhir.NotFound, "not-found", fhir.Messagef(
		"%s is not known", "%s は見つかりません", key.String()))
}

func gone(key store.Key) *Refusal {
	return Refuse(Gone, fhir.Deleted, "deleted", fhir.Messagef(
		"%s is deleted", "%s は削除されています", key.String()))
}

func forbidden(resourceType string) *Refusal {
	return Refuse(Denied, fhir.Forbidden, "scope", fhir.Messagef(
		"the access token's scopes do not allow this on %s", "アクセストークンのスコープでは %s に対するこの操作はできません", resourceType))
}
