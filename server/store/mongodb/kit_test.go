package mongodb_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestKit runs the whole kit on a server without transactions, where the lock
// that otherwise guards single writes guards transactions of many resources.
func TestKit(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true}.Unsafe()
	storetest.Run(t, func(t *testing.T) store.Store { return openTest(t, o) })
}

func TestKitSynthetic(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}}.Unsafe()
	storetest.RunSynthetic(t, func(t *testing.T) store.Store { return openTest(t, o) })
}

// TestKitTinyLimits runs the kit where no set fits into a query and batches
// hold a few documents.
func TestKitTinyLimits(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}}.Tiny().Unsafe()
	storetest.RunSynthetic(t, func(t *testing.T) store.Store { return openTest(t, o) })
}

// manyWrites is why a case is skipped below; TestKit runs it.
const manyWrites = "writes two resources in one transaction, which a deployment without transactions refuses"

// skippedSingle are the cases of the kit that need real transactions.
var skippedSingle = storetest.Skips{
	"transaction":                    manyWrites,
	"sort":                           manyWrites,
	"history":                        manyWrites,
	"changes":                        manyWrites,
	"readers see whole transactions": manyWrites,
	"linearizable":                   manyWrites,
	"random operations":              manyWrites,
}

// TestKitSingleWrites runs the kit on a server without transactions as it is
// deployed.
func TestKitSingleWrites(t *testing.T) {
	o := mongodb.Options{URI: plainServer(t), SingleWrites: true}
	storetest.RunExcept(t, skippedSingle, func(t *testing.T) store.Store { return openTest(t, o) })
}

// TestKitReal runs the whole kit with real transactions.
func TestKitReal(t *testing.T) {
	uri := realServer(t)
	t.Run("FHIR", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return openTest(t, mongodb.Options{URI: uri}) })
	})
	t.Run("synthetic", func(t *testing.T) {
		o := mongodb.Options{URI: uri, Terms: storetest.Terms{}}
		storetest.RunSynthetic(t, func(t *testing.T) store.Store { return openTest(t, o) })
	})
	t.Run("tiny limits", func(t *testing.T) {
		o := mongodb.Options{URI: uri, Terms: storetest.Terms{}}.Tiny()
		storetest.RunSynthetic(t, func(t *testing.T) store.Store { return openTest(t, o) })
	})
}
