// Package mongodb is the storage engine for those who outgrow one machine: a
// store.Store on a MongoDB replica set or sharded cluster, version 5.0 or later.
//
// # Layout
//
// The collection "versions" holds one document for each version of a
// resource; record.go lists its fields. A version is current until another
// supersedes it, which sets its field "end" to the sequence number of the
// other; 0 is "still current". Setting end from 0 is the compare-and-set by
// which a write takes the place of the version it saw.
//
// The collection "store" holds one document, "state": the sequence number and
// time of the last transaction, the size of the store, its format. A store is
// read as of a sequence number s: a version is there when seq ≤ s and (end = 0
// or end > s). Every read begins with the state, so that all of its parts, and
// all pages of a search, see whole transactions and the same ones.
//
// # Index keys
//
// Index keys are bytes that sort as the values they stand for. They are kept
// as an array of strings with a multikey index, each byte b as the character
// U+0001+b, because MongoDB orders binary values by their length first, which
// would make every range wrong, while strings are ordered by their bytes.
// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
//
// What only Go code can judge (Range.Keep, sort values, sets of patients that
// are too large for a query) is judged here while candidates stream by, before
// order, count and page; the query sent to the server is then a superset.
// Versions superseded for longer than Options.KeepSnapshots lose their index
// keys; older snapshots answer store.ErrExpired. Versions themselves stay.
//
// # Writes
//
// Apply is one multi-document transaction with read concern "snapshot" and
// write concern "majority", or a part of one that others share (group.go). Its
// first command takes the state document, so that transactions follow each other
// in the whole cluster; a second one at the same moment is turned away by MongoDB
// with the label TransientTransactionError and tries again. An unknown result of
// a commit is asked for again, as the driver's specification says.
// https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md
//
// A deployment without transactions (a stand-alone server) is refused, unless
// Options.SingleWrites is set: then a transaction may write one resource only,
// see single.go.
package mongodb
