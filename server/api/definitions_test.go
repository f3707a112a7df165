package api_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// TestOwnOperationsArePublished: what the CapabilityStatement names under the
// guide's canonical is part of the guide, under that name.
func TestOwnOperationsArePublished(t *testing.T) {
	seen := map[string]bool{}
	check := func(name, definition string) {
		if !strings.HasPrefix(definition, care.Canonical) {
			return
		}
		seen[name] = true
		data, ok := care.Resource(definition)
		if !ok || !strings.Contains(string(data), `"code": "`+name+`"`) {
			t.Errorf("$%s: %s is not published", name, definition)
		}
	}
	rest := servertest.Start(t).Anonymous().Read("metadata").Want(200).Resource().Get("rest")
	for o := range rest.All("operation") {
		check(o.Text("name"), o.Text("definition"))
	}
	for r := range rest.All("resource") {
		for o := range r.All("operation") {
			check(o.Text("name"), o.Text("definition"))
		}
	}
	for _, name := range []string{"intake", "sharing", "diff"} {
		if !seen[name] {
			t.Errorf("$%s is not in the CapabilityStatement", name)
		}
	}
}
