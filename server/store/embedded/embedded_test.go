package embedded_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

func openMemory(t *testing.T, opts embedded.Options) *embedded.Engine {
	t.Helper()
	e, err := embedded.OpenMemory(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestKit(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openMemory(t, embedded.Options{}) })
}

func TestKitSynthetic(t *testing.T) {
	storetest.RunSynthetic(t, func(t *testing.T) store.Store {
		return openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	})
}

// TestKitTinyLimits runs the kit where lists, leaps and sets are used for a
// handful of resources, and index and log are on files.
func TestKitTinyLimits(t *testing.T) {
	storetest.RunSynthetic(t, func(t *testing.T) store.Store {
		e, err := embedded.Open(t.TempDir(), embedded.Options{Terms: storetest.Terms{}, MemTableBytes: 64 << 10}.Tiny())
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}
