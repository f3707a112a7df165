package auth

import (
	"net/http"

	"github.com/kaigofhir/kaigofhir/server/policy"
)

// smartConfiguration is /.well-known/smart-configuration.
// https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known
type smartConfiguration struct {
	TokenEndpoint     string   `json:"token_endpoint"`
	KeySet            string   `json:"jwks_uri,omitempty"`
	AuthMethods       []string `json:"token_endpoint_auth_methods_supported"`
	SigningAlgorithms []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes        []string `json:"grant_types_supported"`
	Scopes            []string `json:"scopes_supported"`
	ChallengeMethods  []string `json:"code_challenge_methods_supported"`
	Capabilities      []string `json:"capabilities"`
}

// Configuration serves [base]/.well-known/smart-configuration. It needs no
// token.
func (s *Server) Configuration(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, &Problem{Status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "use GET"})
		return
	}
	writeJSON(w, http.StatusOK, smartConfiguration{
		TokenEndpoint:     s.cfg.TokenURL,
		KeySet:            s.cfg.KeySetURL,
		AuthMethods:       []string{"private_key_jwt"},
		SigningAlgorithms: []string{"RS384", "ES384"},
		GrantTypes:        []string{"client_credentials"},
		Scopes:            s.supported(),
		ChallengeMethods:  []string{"S256"},
		Capabilities:      []string{"client-confidential-asymmetric", "permission-v1", "permission-v2"},
	})
}

// supported lists every scope that some kind of caller can get.
func (s *Server) supported() []string {
	seen := map[string]bool{}
	list := []string{"system/*.cruds", "system/*.rs", "patient/*.rs"}
	for _, k := range []policy.Kind{policy.Person, policy.Municipality, policy.CareOffice, policy.CareManagerOffice, policy.MedicalInstitution} {
		for _, scope := range policy.AllowedScopes(s.cfg.Matrix, k) {
			if text := scope.String(); !seen[text] {
				seen[text] = true
				list = append(list, text)
			}
		}
	}
	return list
}
