package auth

import (
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/server/policy"
)

const (
	maxForm       = 64 << 10
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// Problem is an OAuth error. https://www.rfc-editor.org/rfc/rfc6749#section-5.2
type Problem struct {
	Status      int    // HTTP status
	Code        string // invalid_client, invalid_request, invalid_scope, invalid_token, …
	Description string
	reason      string // for the log, more telling than Description
	wait        int    // Retry-After in seconds
}

// Error returns code and description.
func (p *Problem) Error() string { return p.Code + ": " + p.Description }

func badRequest(code, format string, args ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: code, Description: fmt.Sprintf(format, args...)}
}

// tokenResponse is the answer to a successful request.
// https://hl7.org/fhir/smart-app-launch/backend-services.html#access-token-response
type tokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

// Token serves the token endpoint: POST with grant_type client_credentials and
// a private_key_jwt assertion. A purpose_of_use of ETREAT asks for a token for
// an emergency, where the matrix has break-glass switched on.
func (s *Server) Token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	answer, client, problem := s.token(w, r)
	if problem != nil {
		told := *problem
		if told.reason != "" {
			told.Description = told.reason
		}
		s.refused(r.Context(), "token refused", client, &told)
		writeProblem(w, problem)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) (*tokenResponse, string, *Problem) {
	form, problem := readForm(w, r)
	if problem != nil {
		return nil, "", problem
	}
	if problem := s.limited(r, claimedClient(form.Get("client_assertion"))); problem != nil {
		return nil, "", problem
	}
	switch {
	case form.Get("grant_type") != "client_credentials":
		return nil, "", badRequest("unsupported_grant_type", "grant_type must be client_credentials")
	case form.Get("client_assertion_type") != assertionType || form.Get("client_assertion") == "":
		return nil, "", badRequest("invalid_request", "client_assertion_type must be %s, with a client_assertion", assertionType)
	}
	client, claimed, problem := s.authenticate(form.Get("client_assertion"))
	if problem != nil {
		return nil, claimed, problem
	}
	if id := form.Get("client_id"); id != "" && id != client.ID {
		return nil, claimed, badClient("client_id is not that of the assertion")
	}
	scopes, problem := s.scopes(client, form.Get("scope"))
	if problem != nil {
		return nil, claimed, problem
	}
	purpose := form.Get("purpose_of_use")
	if purpose != "" && (purpose != policy.Emergency || client.Kind != policy.MedicalInstitution || !s.cfg.Matrix.On("break-glass")) {
		return nil, claimed, badRequest("invalid_request", "this purpose_of_use is not granted")
	}
	token, err := s.issue(client, scopes, purpose)
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "token not signed", "error", err)
		return nil, claimed, &Problem{Status: http.StatusInternalServerError, Code: "server_error", Description: "internal error"}
	}
	return &tokenResponse{AccessToken: token, TokenType: "bearer", ExpiresIn: int(s.cfg.Life.Seconds()), Scope: scopes.String()}, claimed, nil
}

// readForm reads the form of a token request. Query parameters do not count,
// and a parameter given twice is an error (RFC 6749 §3.2).
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *Problem) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &Problem{Status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "use POST"}
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, badRequest("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, badRequest("invalid_request", "the form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) > 1 { // the name is not told: it may be anything
			return nil, badRequest("invalid_request", "a parameter is given twice")
		}
	}
	return r.PostForm, nil
}

func (s *Server) limited(r *http.Request, client string) *Problem {
	if s.cfg.Limit == nil {
		return nil
	}
	wait, ok := s.cfg.Limit(r, client)
	if ok {
		return nil
	}
	return &Problem{Status: http.StatusTooManyRequests, Code: "slow_down", Description: "too many token requests; try again later",
		wait: max(1, int(math.Ceil(wait.Seconds())))}
}

// scopes returns what the client gets of the scopes it asks for.
func (s *Server) scopes(c *Client, requested string) (policy.Scopes, *Problem) {
	if strings.TrimSpace(requested) == "" {
		return policy.Scopes{}, badRequest("invalid_scope", "ask for scopes, for instance system/*.rs")
	}
	if c.Kind == policy.Operator && requested != "system/*.cruds" {
		return policy.Scopes{}, badRequest("invalid_scope", "an operator's only scope is system/*.cruds")
	}
	scopes := s.bounded(c, requested)
	if scopes.Empty() {
		return policy.Scopes{}, badRequest("invalid_scope", "none of the scopes can be granted to a client of this kind")
	}
	return scopes, nil
}

// bounded returns what the matrix and the client's registration leave of scopes.
func (s *Server) bounded(c *Client, requested string) policy.Scopes {
	scopes := policy.GrantScopes(s.cfg.Matrix, c.Kind, requested)
	if c.Scopes != "" {
		scopes = scopes.Within(policy.GrantScopes(s.cfg.Matrix, c.Kind, c.Scopes))
	}
	return scopes
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	if p.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.wait))
	}
	writeJSON(w, p.Status, map[string]string{"error": p.Code, "error_description": p.Description})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone where it fails
}
