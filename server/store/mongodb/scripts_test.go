package mongodb_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestSearchScripts runs the search scripts on the server of TestKit.
func TestSearchScripts(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true}.Unsafe()
	storetest.RunScripts(t, func(t *testing.T) store.Store { return openTest(t, o) })
}
