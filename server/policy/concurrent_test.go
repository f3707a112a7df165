package policy_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// TestManyAskWhileConsentsChange asks while consents come and go, and checks
// that what a caller was told to see before does not change in its hands, and
// that a withdrawal acknowledged is a withdrawal seen.
func TestManyAskWhileConsentsChange(t *testing.T) {
	st, err := embedded.OpenMemory(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close() //nolint:errcheck // in memory
	p, err := policy.New(st)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := search.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			office := fmt.Sprint("manager", g)
			c := policy.Caller{Kind: policy.CareManagerOffice, Organization: office, Scopes: policy.Everything(p.Matrix(), policy.CareManagerOffice)}
			for i := range 60 {
				patient := fmt.Sprint("p", i%7)
				labels := search.Labels{Form: "physician-opinion", Patients: []string{patient}, Author: "clinic"}
				before, err := p.Visibility(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				saw := before.Allows("Observation", "x", labels)
				given := i/7%2 == 0
				terms := sharing.Terms{Patient: patient, Active: given, Permit: true, Recipients: []string{office}}
				w := write(registry, terms.Resource().Set("id", office+"-"+patient), search.Labels{Patients: []string{patient}, Author: office})
				w.Method = store.Update
				if _, err := st.Apply(t.Context(), store.Tx{Writes: []store.Write{w}}); err != nil {
					t.Error(err)
					return
				}
				if after, err := p.Visibility(t.Context(), c); err != nil || after.Allows("Observation", "x", labels) != given {
					t.Errorf("consent given is %t, seen is %t, %v", given, !given, err)
				}
				if before.Allows("Observation", "x", labels) != saw {
					t.Error("an answer changed after it was given")
				}
			}
		})
	}
	wg.Wait()
}
