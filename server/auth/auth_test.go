package auth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/auth/authclient"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

const (
	tokenURL = "https://care.example/auth/token"
	audience = "https://care.example/fhir"
	everyone = "system/*.cruds"
)

// bench is a server with an office, a person, an operator and their keys.
type bench struct {
	*testing.T
	server  *auth.Server
	clients *auth.Clients
	office  auth.Client
	key     *authclient.Key // of the office
	now     time.Time
	log     bytes.Buffer
	ids     int
}

func newKey(t *testing.T, algorithm, kid string) *authclient.Key {
	t.Helper()
	key, err := authclient.NewKey(algorithm, kid)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func public(t *testing.T, key *authclient.Key) jwk.Set {
	t.Helper()
	set, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newBench(t *testing.T, change ...func(*auth.Config)) *bench {
	t.Helper()
	b := &bench{T: t, now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), key: newKey(t, "ES384", "k1")}
	b.office = auth.Client{ID: "office-software", Kind: policy.CareOffice, Organization: "office", Keys: public(t, b.key)}
	var err error
	b.clients, err = auth.NewClients(b.office,
		auth.Client{ID: "person-app", Kind: policy.Person, Patient: "p", Keys: public(t, b.key)},
		auth.Client{ID: "clinic-software", Kind: policy.MedicalInstitution, Organization: "clinic", Keys: public(t, b.key)},
		auth.Client{ID: "bounded", Kind: policy.CareOffice, Organization: "office", Scopes: "system/CarePlan.rs", Keys: public(t, b.key)},
		auth.Client{ID: "operator", Kind: policy.Operator, Keys: public(t, b.key)})
	if err != nil {
		t.Fatal(err)
	}
	cfg := auth.Config{Issuer: "https://care.example", TokenURL: tokenURL, Audience: audience, Clients: b.clients, Keys: new(auth.MemoryKey),
		Now: func() time.Time { return b.now }, NewID: func() string { b.ids++; return fmt.Sprint("t", b.ids) },
		Log: slog.New(slog.NewTextHandler(&b.log, nil))}
	for _, c := range change {
		c(&cfg)
	}
	if b.server, err = auth.New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) claims() map[string]any {
	b.ids++
	return map[string]any{"iss": "office-software", "sub": "office-software", "aud": tokenURL,
		"exp": b.now.Add(4 * time.Minute).Unix(), "jti": fmt.Sprint("j", b.ids)}
}

func (b *bench) sign(key *authclient.Key, claims map[string]any) string {
	b.Helper()
	s, err := key.Sign(claims)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) post(form url.Values) (int, map[string]any) {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.serve(r)
}

func (b *bench) serve(r *http.Request) (int, map[string]any) {
	b.Helper()
	w := httptest.NewRecorder()
	b.server.Token(w, r)
	if w.Header().Get("Cache-Control") != "no-store" {
		b.Error("the answer may be cached")
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		b.Fatalf("status %d, body is no JSON: %v", w.Code, err)
	}
	return w.Code, body
}

func (b *bench) token(client, scope string) string {
	b.Helper()
	c := b.claims()
	c["iss"], c["sub"] = client, client
	status, body := b.post(authclient.Form(b.sign(b.key, c), scope))
	if status != http.StatusOK {
		b.Fatalf("%s: %d %v", client, status, body)
	}
	return body["access_token"].(string)
}

func TestTokenOpensTheDoor(t *testing.T) {
	b := newBench(t)
	status, body := b.post(authclient.Form(b.sign(b.key, b.claims()), "system/CarePlan.rs system/Observation.cruds"))
	if status != http.StatusOK || body["token_type"] != "bearer" || body["expires_in"] != 300.0 {
		t.Fatalf("%d %v", status, body)
	}
	if scope := body["scope"].(string); !strings.Contains(scope, "system/CarePlan.rs?_security=") || strings.Contains(scope, "certification-survey") {
		t.Errorf("scope %q is not what the matrix gives a care office", scope)
	}
	caller, err := b.server.Verify(body["access_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if caller.Kind != policy.CareOffice || caller.Organization != "office" || caller.Client != "office-software" || caller.Unrestricted {
		t.Errorf("caller %+v", caller)
	}
	if !caller.Scopes.Allow("CarePlan", policy.ActionRead) || caller.Scopes.Allow("CarePlan", policy.ActionCreate) || caller.Scopes.Allow("Coverage", policy.ActionRead) {
		t.Errorf("scopes %q", caller.Scopes)
	}
}

func TestRS384AndClientOverHTTP(t *testing.T) {
	b := newBench(t)
	key := newKey(t, "RS384", "rsa-1")
	b.office.Keys = public(t, key)
	if err := b.clients.Replace(b.office); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(b.server.Token))
	defer srv.Close()
	assertion, err := key.Assertion("office-software", tokenURL, b.now)
	if err != nil {
		t.Fatal(err)
	}
	status, body := b.post(authclient.Form(assertion, everyone))
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, body)
	}
	c := authclient.Client{ID: "office-software", Key: key, TokenURL: srv.URL}
	if _, err := c.Fetch(t.Context(), everyone, b.now); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("an assertion for another URL gave %v", err)
	}
}

func TestKeySurvivesARestart(t *testing.T) {
	file := auth.KeyFile(t.TempDir() + "/token.key")
	keep := func(c *auth.Config) { c.Keys = file }
	token := newBench(t, keep).token("office-software", everyone)
	if _, err := newBench(t, keep).server.Verify(token); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := newBench(t).server.Verify(token); err == nil {
		t.Error("a server with another key accepts the token")
	}
}

func TestBadAssertions(t *testing.T) {
	tests := []struct {
		name   string
		change func(claims map[string]any, now time.Time)
	}{
		{"expired", func(c map[string]any, now time.Time) { c["exp"] = now.Add(-time.Second).Unix() }},
		{"lives an hour", func(c map[string]any, now time.Time) { c["exp"] = now.Add(time.Hour).Unix() }},
		{"no exp", func(c map[string]any, _ time.Time) { delete(c, "exp") }},
		{"exp is text", func(c map[string]any, _ time.Time) { c["exp"] = "soon" }},
		{"not yet valid", func(c map[string]any, now time.Time) { c["nbf"] = now.Add(2 * time.Minute).Unix() }},
		{"issued in the future", func(c map[string]any, now time.Time) { c["iat"] = now.Add(2 * time.Minute).Unix() }},
		{"wrong audience", func(c map[string]any, _ time.Time) { c["aud"] = audience }},
		{"several audiences", func(c map[string]any, _ time.Time) { c["aud"] = []string{tokenURL, audience} }},
		{"no audience", func(c map[string]any, _ time.Time) { delete(c, "aud") }},
		{"no jti", func(c map[string]any, _ time.Time) { delete(c, "jti") }},
		{"endless jti", func(c map[string]any, _ time.Time) { c["jti"] = strings.Repeat("x", 300) }},
		{"unknown client", func(c map[string]any, _ time.Time) { c["iss"], c["sub"] = "nobody", "nobody" }},
		{"subject is another client", func(c map[string]any, _ time.Time) { c["sub"] = "person-app" }},
		{"no issuer", func(c map[string]any, _ time.Time) { delete(c, "iss") }},
	}
	b := newBench(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := b.claims()
			tt.change(c, b.now)
			refusesClient(t, b, b.sign(b.key, c))
		})
	}
}

// refusesClient checks that an assertion is refused with the one answer all get.
func refusesClient(t *testing.T, b *bench, assertion string) {
	t.Helper()
	status, body := b.post(authclient.Form(assertion, everyone))
	if status != http.StatusUnauthorized || body["error"] != "invalid_client" || body["error_description"] != "the client assertion does not prove the client" {
		t.Errorf("%d %v", status, body)
	}
}

func segment(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func TestForgedAssertions(t *testing.T) {
	b := newBench(t)
	good := strings.Split(b.sign(b.key, b.claims()), ".")
	other := strings.Split(b.sign(b.key, b.claims()), ".")
	tests := []struct{ name, assertion string }{
		{"alg none", segment(map[string]string{"alg": "none", "kid": "k1"}) + "." + good[1] + "."},
		{"alg HS256 with the public key's id", segment(map[string]string{"alg": "HS256", "kid": "k1"}) + "." + good[1] + "." + good[2]},
		{"alg ES256", segment(map[string]string{"alg": "ES256", "kid": "k1"}) + "." + good[1] + "." + good[2]},
		{"signature of another assertion", good[0] + "." + good[1] + "." + other[2]},
		{"no signature", good[0] + "." + good[1] + "."},
		{"wrong key, right kid", b.sign(newKey(t, "ES384", "k1"), b.claims())},
		{"unknown kid", b.sign(newKey(t, "ES384", "k2"), b.claims())},
		{"other algorithm, right kid", b.sign(newKey(t, "RS384", "k1"), b.claims())},
		{"not a JWT", "hello"},
		{"JSON serialisation", `{"payload":"` + good[1] + `","signatures":[{"protected":"` + good[0] + `","signature":"` + good[2] + `"}]}`},
		{"too long", strings.Repeat("a", 20<<10)},
		{"an access token", b.token("office-software", everyone)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refusesClient(t, b, tt.assertion) })
	}
	if strings.Contains(b.log.String(), good[2]) || strings.Contains(b.log.String(), good[1]) {
		t.Error("the log holds an assertion")
	}
}

func TestReplay(t *testing.T) {
	b := newBench(t)
	claims := b.claims()
	once := b.sign(b.key, claims)
	if status, body := b.post(authclient.Form(once, everyone)); status != http.StatusOK {
		t.Fatalf("%d %v", status, body)
	}
	refusesClient(t, b, once)
	refusesClient(t, b, b.sign(b.key, claims)) // signed anew, same jti
	claims["iss"], claims["sub"] = "clinic-software", "clinic-software"
	if status, body := b.post(authclient.Form(b.sign(b.key, claims), everyone)); status != http.StatusOK {
		t.Errorf("another client's jti counts as a replay: %d %v", status, body)
	}
	b.now = b.now.Add(10 * time.Minute)
	refusesClient(t, b, once) // forgotten by now, but expired
}

func TestBadRequests(t *testing.T) {
	tests := []struct {
		name   string
		change func(url.Values)
		code   string
	}{
		{"other grant", func(f url.Values) { f.Set("grant_type", "password") }, "unsupported_grant_type"},
		{"other assertion type", func(f url.Values) { f.Set("client_assertion_type", "saml") }, "invalid_request"},
		{"no assertion", func(f url.Values) { f.Del("client_assertion") }, "invalid_request"},
		{"parameter twice", func(f url.Values) { f.Add("scope", everyone) }, "invalid_request"},
		{"no scope", func(f url.Values) { f.Del("scope") }, "invalid_scope"},
		{"nonsense scope", func(f url.Values) { f.Set("scope", "everything") }, "invalid_scope"},
		{"scope of the wrong context", func(f url.Values) { f.Set("scope", "patient/*.rs") }, "invalid_scope"},
		{"scope beyond the matrix", func(f url.Values) { f.Set("scope", "system/StructureDefinition.cud") }, "invalid_scope"},
		{"another client's id", func(f url.Values) { f.Set("client_id", "person-app") }, "invalid_client"},
		{"break-glass switched off", func(f url.Values) { f.Set("purpose_of_use", "ETREAT") }, "invalid_request"},
	}
	b := newBench(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form := authclient.Form(b.sign(b.key, b.claims()), everyone)
			tt.change(form)
			if status, body := b.post(form); status < 400 || status >= 500 || body["error"] != tt.code {
				t.Errorf("%d %v, want %s", status, body, tt.code)
			}
		})
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tokenURL, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if status, body := b.serve(r); status != http.StatusBadRequest {
		t.Errorf("JSON body: %d %v", status, body)
	}
	if status, _ := b.serve(httptest.NewRequestWithContext(t.Context(), http.MethodGet, tokenURL, nil)); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
}

func TestBadTokens(t *testing.T) {
	b := newBench(t)
	good := b.token("office-software", everyone)
	parts := strings.Split(good, ".")
	bad := map[string]string{
		"empty":              "",
		"cut":                good[:len(good)-4],
		"alg none":           segment(map[string]string{"alg": "none", "typ": "at+jwt"}) + "." + parts[1] + ".",
		"other payload":      parts[0] + "." + segment(map[string]any{"client_id": "operator"}) + "." + parts[2],
		"a client assertion": b.sign(b.key, b.claims()),
	}
	for name, token := range bad {
		if _, err := b.server.Verify(token); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	b.now = b.now.Add(4*time.Minute + 59*time.Second)
	if _, err := b.server.Verify(good); err != nil {
		t.Errorf("before its end: %v", err)
	}
	b.now = b.now.Add(time.Second)
	if _, err := b.server.Verify(good); err == nil {
		t.Error("an expired token is accepted")
	}
}

func TestRemovedClientIsGoneAtOnce(t *testing.T) {
	b := newBench(t)
	token := b.token("office-software", everyone)
	if err := b.clients.Replace(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.server.Verify(token); err == nil {
		t.Error("the token of a removed client is accepted")
	}
}

func TestKindsOfClients(t *testing.T) {
	b := newBench(t)
	person, err := b.server.Verify(b.token("person-app", "patient/*.rs"))
	if err != nil || person.Patient != "p" || person.Organization != "" || !person.Scopes.Allow("CarePlan", policy.ActionRead) {
		t.Errorf("person %+v, %v", person, err)
	}
	bounded, err := b.server.Verify(b.token("bounded", everyone))
	if err != nil || !bounded.Scopes.Allow("CarePlan", policy.ActionRead) || bounded.Scopes.Allow("CarePlan", policy.ActionUpdate) || bounded.Scopes.Allow("Patient", policy.ActionRead) {
		t.Errorf("bounded client has %q, %v", bounded.Scopes, err)
	}
	operator, err := b.server.Verify(b.token("operator", everyone))
	if err != nil || !operator.Unrestricted {
		t.Errorf("operator %+v, %v", operator, err)
	}
}

func TestBreakGlassToken(t *testing.T) {
	matrix, err := sharing.National().With(map[string]bool{"break-glass": true})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *auth.Config) { c.Matrix = matrix })
	ask := func(client string) (int, map[string]any) {
		c := b.claims()
		c["iss"], c["sub"] = client, client
		form := authclient.Form(b.sign(b.key, c), everyone)
		form.Set("purpose_of_use", policy.Emergency)
		return b.post(form)
	}
	status, body := ask("clinic-software")
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, body)
	}
	if caller, err := b.server.Verify(body["access_token"].(string)); err != nil || caller.Purpose != policy.Emergency {
		t.Errorf("caller %+v, %v", caller, err)
	}
	if status, _ := ask("office-software"); status != http.StatusBadRequest {
		t.Errorf("a care office gets an emergency token: %d", status)
	}
}

func TestAuthenticate(t *testing.T) {
	b := newBench(t)
	token := b.token("office-software", everyone)
	tests := []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"bearer", []string{"Bearer " + token}, true},
		{"scheme in lower case", []string{"bearer " + token}, true},
		{"none", nil, false},
		{"basic", []string{"Basic " + token}, false},
		{"token alone", []string{token}, false},
		{"two", []string{"Bearer " + token, "Bearer " + token}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/fhir/Patient", nil)
			for _, h := range tt.headers {
				r.Header.Add("Authorization", h)
			}
			if _, err := b.server.Authenticate(r); (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	asked := ""
	b := newBench(t, func(c *auth.Config) {
		c.Limit = func(_ *http.Request, client string) (time.Duration, bool) {
			asked = client
			return 1500 * time.Millisecond, false
		}
	})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tokenURL, strings.NewReader(authclient.Form(b.sign(b.key, b.claims()), everyone).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.server.Token(w, r)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "2" || asked != "office-software" {
		t.Errorf("%d, Retry-After %q, asked for %q", w.Code, w.Header().Get("Retry-After"), asked)
	}
}

func TestConfiguration(t *testing.T) {
	b := newBench(t)
	w := httptest.NewRecorder()
	b.server.Configuration(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/fhir/.well-known/smart-configuration", nil))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got["token_endpoint"] != tokenURL {
		t.Errorf("%v, %v", got, err)
	}
}

func TestParseClients(t *testing.T) {
	key := newKey(t, "ES384", "k1")
	set := public(t, key)
	jwks, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	private, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"town.jwks": {Data: jwks}, "secret.jwks": {Data: private}}
	good := `clients: [{id: a, kind: municipality, organization: town, jwks_file: town.jwks}, {id: b, kind: user, patient: p, acting: family, jwks: ` + string(jwks) + `}]`
	clients, err := auth.ParseClients([]byte(good), files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := auth.NewClients(clients...); err != nil {
		t.Error(err)
	}
	bad := map[string]string{
		"no kind":               `clients: [{id: a, organization: town, jwks_file: town.jwks}]`,
		"unknown kind":          `clients: [{id: a, kind: bank, organization: town, jwks_file: town.jwks}]`,
		"organisation missing":  `clients: [{id: a, kind: care_office, jwks_file: town.jwks}]`,
		"organisation and user": `clients: [{id: a, kind: user, patient: p, organization: town, jwks_file: town.jwks}]`,
		"no keys":               `clients: [{id: a, kind: care_office, organization: o}]`,
		"unknown key":           `clients: [{id: a, kind: care_office, organization: o, jwks_file: town.jwks, colour: red}]`,
		"private key":           `clients: [{id: a, kind: care_office, organization: o, jwks_file: secret.jwks}]`,
		"twice":                 `clients: [{id: a, kind: care_office, organization: o, jwks_file: town.jwks}, {id: a, kind: care_office, organization: o, jwks_file: town.jwks}]`,
		"missing file":          `clients: [{id: a, kind: care_office, organization: o, jwks_file: none.jwks}]`,
	}
	for name, text := range bad {
		clients, err := auth.ParseClients([]byte(text), files)
		if err == nil {
			_, err = auth.NewClients(clients...)
		}
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzToken(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		server, err := auth.New(auth.Config{Issuer: "i", TokenURL: tokenURL, Audience: audience, Clients: new(auth.Clients), Keys: new(auth.MemoryKey),
			Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Verify(token); err == nil {
			t.Error("a token nobody signed is accepted")
		}
	})
}
