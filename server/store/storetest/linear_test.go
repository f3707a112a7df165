package storetest

import "testing"

// TestLinear shows that the checker of histories finds each kind of fault.
func TestLinear(t *testing.T) {
	good := []seen{{0, 2, 1, true}, {1, 3, 0, false}, {3, 4, 1, false}, {3, 6, 2, true}, {4, 5, 2, false}, {5, 5, 2, false}}
	if err := linear(good); err != nil {
		t.Errorf("a good history: %v", err)
	}
	for name, h := range map[string][]seen{
		"written twice":     {{0, 1, 1, true}, {2, 3, 1, true}},
		"never written":     {{0, 1, 1, true}, {2, 3, 2, false}},
		"read too early":    {{0, 1, 1, false}, {2, 3, 1, true}},
		"stale read":        {{0, 1, 1, true}, {2, 3, 0, false}},
		"reads go back":     {{0, 9, 1, true}, {1, 2, 1, false}, {3, 4, 0, false}},
		"writes out of row": {{0, 1, 2, true}, {2, 3, 1, true}},
	} {
		if linear(h) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
