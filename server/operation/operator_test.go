package operation_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server/operation"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// TestOperatorOnly: neither the kind nor the freedom alone makes an operator.
func TestOperatorOnly(t *testing.T) {
	for _, kind := range []policy.Kind{"", policy.Person, policy.Municipality, policy.CareOffice, policy.CareManagerOffice,
		policy.MedicalInstitution, policy.Prefecture, policy.Operator, "OPERATOR"} {
		for _, free := range []bool{false, true} {
			err := operation.OperatorOnly(policy.Caller{Client: "c", Kind: kind, Unrestricted: free})
			if want := kind == policy.Operator && free; (err == nil) != want {
				t.Errorf("kind %q, unrestricted %v: %v", kind, free, err)
			}
		}
	}
}
