// Package store is the contract between the server and its storage engines,
// and nothing else. The test kit that every engine must pass is storetest.
package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// The errors of a store, found with errors.Is.
var (
	ErrNotFound     = errors.New("no such resource")
	ErrGone         = errors.New("resource is deleted")
	ErrPrecondition = errors.New("a precondition of the write does not hold")
	ErrConflict     = errors.New("the write collides with another")
	ErrUnsupported  = errors.New("the engine cannot evaluate this query")
	ErrExpired      = errors.New("the snapshot of this page is no longer kept")
	ErrReadOnly     = errors.New("the store takes no writes")
	ErrTooLarge     = errors.New("a resource is larger than the engine can keep")
)

// Store keeps every version of every resource. Implementations are safe for
// concurrent use. A write that Apply has acknowledged is on disk.
type Store interface {
	// Read returns the current version. ErrGone comes with the version that
	// records the deletion, so that the caller can check its labels.
	Read(ctx context.Context, key Key) (Version, error)
	// ReadVersion returns one version, which may be a deletion.
	ReadVersion(ctx context.Context, key Key, version uint64) (Version, error)
	// Apply makes all writes of the transaction or none. It returns
	// ErrPrecondition (wrapping *FailedPrecondition) or ErrConflict.
	Apply(ctx context.Context, tx Tx) (Receipt, error)
	// Search returns one page of the current versions that match.
	Search(ctx context.Context, q search.Query) (Page, error)
	// History returns versions, newest first unless asked otherwise.
	History(ctx context.Context, q HistoryQuery) (Page, error)
	// Changes yields every committed version after since, in order, and ends
	// when it has caught up.
	Changes(ctx context.Context, since uint64) iter.Seq2[Version, error]
	// Status tells size and health of the store.
	Status(ctx context.Context) (Status, error)
	Close() error
}

// Key names a resource.
type Key struct{ Type, ID string }

// String returns "Type/id".
func (k Key) String() string { return k.Type + "/" + k.ID }

// Method is what made a version.
type Method uint8

// The methods.
const (
	Create Method = iota + 1
	Update
	Delete
)

// Version is one version of a resource.
type Version struct {
	Key
	Version uint64 // 1, 2, 3, … for each resource
	Seq     uint64 // position among all changes of the store; all of a transaction share it
	Method  Method
	// Time is meta.lastUpdated, UTC, millisecond precision, never earlier
	// than that of an earlier Seq.
	Time time.Time
	// JSON is the resource as stored, meta.versionId and meta.lastUpdated
	// included; empty for a deletion. It must not be changed.
	JSON []byte
	// Labels of a deletion are those of the version it deleted.
	Labels search.Labels
	// Keys are the index keys. Read and Search fill them only where the
	// engine has them at hand; do not rely on them.
	Keys [][]byte
}

// Tx is a set of writes that happen together, at most one for each key.
type Tx struct {
	// Expect are queries whose answer must still be as the caller saw it at
	// the moment of writing (conditional create, update and delete).
	Expect []Expectation
	Writes []Write
}

// Expectation is a query and the keys it must match, no more and no fewer,
// sorted. Query.Count bounds how many keys are compared.
type Expectation struct {
	Query search.Query
	Keys  []Key
}

// Write is one new version of a resource.
type Write struct {
	Key    Key
	Method Method
	// IfVersion, where set, is the version that must be current; 0 means that
	// the resource must never have existed or be deleted.
	IfVersion *uint64
	// Stamp returns the resource's JSON and index keys once the engine has
	// chosen version and time, which the JSON carries in its meta. It is
	// called once, must be quick, and is nil for a deletion.
	Stamp func(version uint64, at time.Time) (json []byte, keys [][]byte, err error)
	// Labels of the new version; ignored for a deletion.
	Labels search.Labels
}

// Receipt tells what Apply wrote, one Version for each Write, in order. The
// versions carry JSON. A deletion of a resource that is deleted or never
// existed writes nothing and has Version 0.
type Receipt struct {
	Seq      uint64
	Versions []Version
}

// FailedPrecondition tells which write or expectation failed.
type FailedPrecondition struct {
	Write       int // index into Tx.Writes, -1 if an expectation failed
	Expectation int // index into Tx.Expect, -1 if a write failed
	Current     uint64
}

func (f *FailedPrecondition) Error() string { return ErrPrecondition.Error() }

// Is makes errors.Is(err, ErrPrecondition) true.
func (f *FailedPrecondition) Is(target error) bool { return target == ErrPrecondition }

// Page is one page of results.
type Page struct {
	Versions []Version
	// Total is the number of matches, -1 where not asked for.
	Total int64
	// Parts tells for each of Versions which contained resource of it is the
	// result, from 1, or 0 for the version itself; nil where the query has no
	// Parts.
	Parts []int
	// Next continues after this page, "" at the end.
	Next string
	// AsOf is the snapshot the page was read from; give it back with Next.
	AsOf uint64
}

// HistoryQuery asks for versions.
type HistoryQuery struct {
	Type string // "" for the whole system
	ID   string // "" for a type
	// Must is met by a version where its own labels meet it and those of the
	// version that is current in the snapshot, perhaps a deletion: what moved
	// out of a caller's sight takes its past along.
	Must      search.Must
	Since     time.Time // only versions at or after; zero: all
	At        time.Time // only versions current at some time in [At, Until); zero: all
	Until     time.Time // end of the period of At
	Ascending bool
	Count     int
	After     string
	AsOf      uint64
	Total     bool
}

// Status of a store.
type Status struct {
	Engine    string
	Format    int // version of the on-disk format
	Seq       uint64
	Resources int64 // current, not deleted
	Versions  int64
	ReadOnly  bool
	// SingleWrites: a transaction may write one resource only, because the
	// deployment under the engine has no transactions.
	SingleWrites bool
	// Origin changes whenever the content came from elsewhere: into a new
	// folder, or by restoring a backup. What was noted about the content of
	// another origin, such as which keys a Rekeyer has given, does not hold. A
	// Rekeyer must tell it; "" where it is not known.
	Origin string
}
