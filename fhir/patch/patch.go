// Package patch changes resources by JSON Patch, FHIRPath Patch and Merge
// Patch. A patch never changes its input: it works on a copy. It may change
// neither the type nor the id of a resource. Errors are fhir.Issues; none
// holds content of the resource or the patch.
// https://hl7.org/fhir/R4/http.html#patch
package patch

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// The rules errors name in Issue.ID. What breaks RuleSyntax is wrong whatever
// the resource; the others depend on it.
const (
	RuleSyntax   = "patch-syntax"   // the patch is not one
	RuleTarget   = "patch-target"   // an operation does not find its place
	RuleTest     = "patch-test"     // a test operation failed
	RuleIdentity = "patch-identity" // the patch changes the type or the id
	RuleCost     = "patch-cost"     // the patch is too large, or its result
)

// maxOperations is the most operations a patch may have.
const maxOperations = 10_000

// issue makes the error of a rule. Every rule but RuleSyntax and RuleCost is
// a matter of processing.
func issue(rule, en, ja string, args ...any) error {
	code := fhir.Processing
	switch rule {
	case RuleSyntax:
		code = fhir.Invalid
	case RuleCost:
		code = fhir.TooCostly
	}
	return fhir.Issues{{
		Severity: fhir.Error,
		Code:     code,
		ID:       rule,
		Message:  fhir.Messagef(en, ja, args...),
	}}
}

// sameIdentity refuses another type or id.
func sameIdentity(before, after *fhir.Element) error {
	if before.ResourceType() != after.ResourceType() || before.ID() != after.ID() {
		return issue(RuleIdentity, "a patch may not change the type or the id of a resource",
			"パッチでリソースの型と id は変えられません")
	}
	return nil
}
