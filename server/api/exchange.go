package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// exchange is one request and its answer.
type exchange struct {
	*gin.Context
	api    *API
	call   interaction.Call
	prefer prefer
	format format
	pretty bool
	lang   fhir.Language
}

// handler makes a gin handler of one of ours: it finds out who calls and which
// format is wanted, and answers an error or panic.
func (a *API) handler(handle func(*exchange) error, public bool) gin.HandlerFunc {
	return func(g *gin.Context) {
		x := &exchange{Context: g, api: a, format: jsonFormat, lang: language(g.Request)}
		x.call = interaction.Call{Base: a.base(g.Request), RequestID: a.requestID(g.Request), Language: x.lang}
		g.Header("X-Request-Id", x.call.RequestID)
		if len(a.cfg.Observers) > 0 {
			g.Set(exchangeKey, x)
		}
		defer x.recovered()
		a.cors(g)
		err := x.begin(public)
		switch {
		case err != nil:
		case x.defers():
			err = x.kickOff()
		default:
			err = handle(x)
		}
		if err != nil {
			x.fail(err)
		}
	}
}

// begin reads what all requests have in common.
func (x *exchange) begin(public bool) error {
	var override string
	if strings.Contains(x.Request.URL.RawQuery, "_format") {
		override = x.Query("_format")
	}
	f, formatErr := negotiate(strings.Join(x.Request.Header["Accept"], ","), override)
	if x.Param("member") == asyncFileName { // its type is fixed
		formatErr = nil
	}
	x.format = f
	x.pretty = strings.Contains(x.Request.URL.RawQuery, "_pretty=true")
	x.prefer = readPrefer(x.Request)
	x.call.Strict, x.call.Return = x.prefer.strict, x.prefer.ret
	if ask, ok := x.Request.Context().Value(later{}).(*asyncRequest); ok {
		x.call.Caller, x.call.Base = ask.Caller, ask.Base // both were found when it was accepted
		return formatErr
	}
	if !public {
		caller, err := x.api.cfg.Authenticate(x.Request)
		if err != nil {
			return unauthenticated(err)
		}
		x.call.Caller = caller
		if err := x.api.limiter.take(x, caller); err != nil {
			return err
		}
	}
	return formatErr
}

// unauthenticated refuses a request without a valid token.
func unauthenticated(err error) error {
	var issues fhir.Issues
	if errors.As(err, &issues) {
		return interaction.RefuseAll(interaction.Anonymous, issues)
	}
	r := interaction.Refuse(interaction.Anonymous, fhir.Login, "token", fhir.Messagef(
		"this needs a valid access token (Authorization: Bearer …)",
		"有効なアクセストークンが必要です(Authorization: Bearer …)"))
	r.Err = err
	return r
}

// base returns the service base URL a request was made under.
func (a *API) base(r *http.Request) string {
	if a.cfg.BaseURL != "" {
		return a.cfg.BaseURL
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + BasePath
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID takes the client's request id where it is a harmless one.
func (a *API) requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" && requestIDPattern.MatchString(id) {
		return id
	}
	return a.cfg.NewID()
}

// recovered answers a panic: the client learns the request id and no more.
func (x *exchange) recovered() {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	x.api.cfg.Log.Error("panic", slog.String("request", x.call.RequestID), slog.String("stack", string(debug.Stack())))
	if !x.Writer.Written() {
		x.fail(interaction.Internalf(errors.New("panic")))
	}
}

// body reads the request body within the limit.
func (x *exchange) body() ([]byte, error) {
	r, err := x.plainBody()
	if err != nil {
		return nil, err
	}
	limit := x.api.cfg.MaxBody
	var data bytes.Buffer
	data.Grow(int(min(max(0, x.Request.ContentLength), limit, bodyStart)) + bytes.MinRead)
	_, err = data.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil && errors.Is(err, context.Canceled):
		return nil, err
	case err != nil:
		return nil, damaged()
	case int64(data.Len()) > limit:
		return nil, tooLarge()
	}
	return data.Bytes(), nil
}

// bodyStart is how much memory a client gets for the mere promise of a body.
const bodyStart = 64 << 10

func damaged() error {
	return interaction.Refuse(interaction.BadRequest, fhir.Invalid, "body-truncated", fhir.Messagef(
		"the body ended early or is damaged", "本文が途中で切れているか、壊れています"))
}

func tooLarge() error {
	return interaction.Refuse(interaction.TooLarge, fhir.TooLong, "body-too-large", fhir.Messagef(
		"the body is larger than the server takes", "本文がサーバーの上限を超えています"))
}

// resource reads the resource in the body.
func (x *exchange) resource() (*fhir.Element, error) {
	f := formatOf(x.ContentType())
	if full := x.GetHeader("Content-Type"); full != "" {
		f = formatOf(full)
	}
	if f == noFormat {
		return nil, unsupportedMedia()
	}
	data, err := x.body()
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, interaction.Refuse(interaction.BadRequest, fhir.Required, "body-missing", fhir.Messagef(
			"the request has no body", "リクエストに本文がありません"))
	}
	return x.decode(f, data)
}

func (x *exchange) decode(f format, data []byte) (*fhir.Element, error) {
	if f == xmlFormat {
		return decodeXML(data, int(x.api.cfg.MaxBody))
	}
	return fhirjson.Decode(data, fhirjson.Options{MaxBytes: int(x.api.cfg.MaxBody)})
}

// key returns the resource the path names.
func (x *exchange) key() store.Key { return store.Key{Type: x.Param("type"), ID: x.Param("id")} }

// condition reads If-Match and, for updates, If-None-Match: *.
func (x *exchange) condition() (interaction.Condition, error) {
	var c interaction.Condition
	if tag := x.GetHeader("If-Match"); tag != "" {
		v, ok := interaction.ParseETag(tag)
		if !ok {
			return c, interaction.Refuse(interaction.BadRequest, fhir.Value, "etag-invalid", fhir.Messagef(
				`If-Match must be an ETag such as W/"3"`, `If-Match は W/"3" のような ETag でなければなりません`))
		}
		c.IfMatch = &v
	}
	if tag := x.GetHeader("If-None-Match"); tag != "" {
		if tag != "*" {
			return c, interaction.Refuse(interaction.BadRequest, fhir.Value, "etag-invalid", fhir.Messagef(
				"a write takes If-None-Match only as *", "書き込みでは If-None-Match に * だけを指定できます"))
		}
		c.IfNone = true
	}
	return c, nil
}

// rawQuery returns the query string without the parameters of the wire.
func (x *exchange) rawQuery() string { return x.Request.URL.RawQuery }
