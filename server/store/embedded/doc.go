// Package embedded is the storage engine for one machine: a store.Store in a
// folder, on Pebble (an LSM tree in pure Go).
//
// # Layout
//
// Every version of a resource has a number, its doc: the sequence number of
// the transaction that wrote it and its rank inside. The first byte of a key
// names its space; doc is 8 bytes, big-endian, ^doc its complement, so that
// the newest comes first.
//
//	m  name                     → state and format of the store
//	c  type 00 id               → pointer to the newest version
//	h  type 00 id 00 ^version   → pointer to one version
//	v  doc                      → the version itself: the change feed
//	k  ^doc                     → id and index keys of a version
//	t  type 00 ^doc             → history of a type
//	i  type 00 list ^doc        → index: which versions have a key
//	l  number                   → a set of labels
//	L  labels                   → its number
//	g  end doc                  → index entries that may be dropped
//
// # Time
//
// An index entry carries the number of its version's labels and, once the
// version was superseded or deleted, the sequence number at which that
// happened. It can therefore be judged on its own, without another read: is it
// visible as of a sequence number, and may the caller see it. Entries of
// superseded versions are kept for Options.KeepSnapshots, so that pages read
// from one snapshot agree with each other; then they are dropped and older
// snapshots answer store.ErrExpired. Versions themselves stay.
//
// Because docs grow with time, every list of the index is in the default order
// of a search, newest first: a page of a popular code ends after its first
// entries, and lists intersect by leaping. The versions that one transaction
// brings into a list are one entry; see groups.go. The records of a patient are
// also kept in the order of their date; see timeline.go.
//
// # Durability
//
// Writers queue for a short lock, in which preconditions are checked against
// everything written so far and a sequence number is given, and then wait
// together for one sync of the log. Readers see a transaction only when it is
// on disk; Apply returns after that.
package embedded
