package embedded_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

func TestSearchScripts(t *testing.T) {
	storetest.RunScripts(t, func(t *testing.T) store.Store { return openMemory(t, embedded.Options{}) })
}
