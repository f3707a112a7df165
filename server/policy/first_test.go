package policy

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

func TestConsentOpensAndWithdrawalCloses(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	w.register("p", "manager", sharing.RoleCareManager)
	opinion := of("physician-opinion", "p", "clinic")
	if w.sees(w.caller("manager"), "DocumentReference", opinion) {
		t.Error("the care manager sees the opinion before consent")
	}
	given := w.consent("p", "manager")
	if !w.sees(w.caller("manager"), "DocumentReference", opinion) {
		t.Error("the care manager does not see the opinion after consent")
	}
	w.write(w.person("p"), given.Clone().Set("status", "inactive"))
	if w.sees(w.caller("manager"), "DocumentReference", opinion) {
		t.Error("the care manager sees the opinion after withdrawal")
	}
	if !w.sees(w.caller("manager"), "Coverage", of("insured-card", "p", "town")) {
		t.Error("the insured card went with the consent")
	}
}
