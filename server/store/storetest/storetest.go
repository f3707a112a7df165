// Package storetest is the one truth about storage engines: a kit of tests
// that every store.Store must pass. An engine's own test is a few lines:
//
//	func TestKit(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return open(t) })
//		storetest.RunSynthetic(t, func(t *testing.T) store.Store { return openWith(t, storetest.Terms{}) })
//	}
//
// The kit also holds the naive engine, the oracle of random operations.
package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Record is the content of the kit's resources. What is indexed of it depends
// on the dialect: Patients have Code, Name and Date (birth), Observations
// Code, Date (effective) and Subject.
type Record struct {
	Code    []string
	Name    []string
	Date    []int64  // days since 1970
	Subject []string // "Patient/1"
	// Contained are resources of the same type in this one.
	Contained []Record
}

type stamp = func(version uint64, at time.Time) ([]byte, [][]byte, error)

// dialect makes resources and criteria.
type dialect interface {
	terms() store.Terms
	stamp(key store.Key, r Record) stamp
	param(typ, code string) *search.Parameter
	clause(typ, code string, m search.Modifier, values ...string) search.Clause
	// hasCode tells from the JSON whether a resource has a code.
	hasCode(v store.Version, code string) bool
}

// kit is one run of the tests on one engine.
type kit struct {
	open    func(t *testing.T) store.Store
	dialect dialect
	skips   Skips
}

// RunSynthetic runs the kit on stores that were opened with Terms.
func RunSynthetic(t *testing.T, open func(t *testing.T) store.Store) {
	k := &kit{open: open, dialect: synthetic{}}
	k.run(t)
}

func (k *kit) run(t *testing.T) {
	cases := []kitCase{
		{"read", testRead},
		{"delete", testDelete},
		{"preconditions", testPreconditions},
		{"transaction", testTransaction},
		{"expectations", testExpectations},
		{"search", testSearch},
		{"chains", testChains},
		{"sort", testSort},
		{"must", testMust},
		{"predicate over the past", testMustOfThePast},
		{"must by reference", testMustByReference},
		{"history", testHistory},
		{"history in time", testHistoryInTime},
		{"paging", testPaging},
		{"paging while others write", testPagingUnderWrites},
		{"changes", testChanges},
		{"survey", testSurvey},
		{"parallel updates", testParallelUpdates},
		{"parallel conditional creates", testParallelCreates},
		{"readers see whole transactions", testNoHalfTransactions},
		{"linearizable", testLinearizable},
		{"rekey", testRekey},
		{"rekey while others write", testRekeyWhileOthersWrite},
		{"random operations", testRandom},
	}
	k.checkSkips(t, cases)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if reason := k.skips[c.name]; reason != "" {
				t.Skip(reason)
			}
			c.test(t, k)
		})
	}
}

type kitCase struct {
	name string
	test func(*testing.T, *kit)
}

// Skips names cases of the kit that a deployment cannot pass, with the reason.
type Skips map[string]string

// checkSkips refuses a list that names no case or gives no reason.
func (k *kit) checkSkips(t *testing.T, cases []kitCase) {
	t.Helper()
	for name, reason := range k.skips {
		if reason == "" || !slices.ContainsFunc(cases, func(c kitCase) bool { return c.name == name }) {
			t.Errorf("the list of skipped cases has %q with reason %q", name, reason)
		}
	}
}
