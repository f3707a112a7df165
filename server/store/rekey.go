package store

import "context"

// Rekeyer is a Store that can give current versions other index keys, for
// search parameters that come and go while the server runs. An engine without
// it serves everything but custom SearchParameters.
//
// For those who write an engine: Rekey is no write of a resource. It makes no
// version, takes no sequence number, changes no time, no JSON and no labels, and
// Changes and History do not show it. Only what Search finds, sorts and counts
// changes, for the version as it is now. Snapshots that are open may see old or
// new keys, as no query on them asks for a parameter that is being indexed. An
// Apply of the same resource that runs at the same time must win: a Rekeying
// whose Version is not current any more, or deleted, changes nothing. Where
// keys live with the version (an array in a document), it is an update of that
// field under the condition that the version is current.
type Rekeyer interface {
	// Rekey replaces the index keys of the versions named, each on its own,
	// and returns when that is durable. Keys are sorted, without duplicates,
	// as those of a Stamp.
	Rekey(ctx context.Context, list []Rekeying) error
}

// Rekeying is a version and the index keys it is to have.
type Rekeying struct {
	Key     Key
	Version uint64
	Keys    [][]byte
}
