package storetest

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store"
)

func TestNaive(t *testing.T) {
	Run(t, func(*testing.T) store.Store { return &Naive{} })
}

func TestNaiveSynthetic(t *testing.T) {
	RunSynthetic(t, func(*testing.T) store.Store { return &Naive{Terms: Terms{}} })
}
