// Package sealedfs encrypts the files of a store: a vfs.FS that seals what
// Pebble writes (logs, tables, manifests, options) and opens what it reads.
//
// # Keys
//
//	master key (a file, or a key service)  wraps
//	folder keys (keys.json in the folder)  wrap
//	data keys, one for each file, random   seal its blocks
//
// All are AES-256-GCM. A change of the master key only rewrites keys.json. It
// also adds a folder key, under which every new file comes; a compaction then
// leaves no file under the old ones.
//
// # A file
//
//	magic, number of the folder key, nonce, wrapped data key   72 bytes
//	block…
//
// A block is a head of 24 bytes, up to 4 KiB sealed, and a tag of 16 bytes. The
// head tells the number of the block, how many bytes it holds, their offset in
// the file and up to where the file was known to be on disk; it is
// authenticated with the block. The number is the nonce: a file is written
// once, from begin to end, so no nonce is used twice under a data key. A block
// is shorter than 4 KiB only where the file was synced or ends.
//
// An empty file stays empty: names and sizes of files are not hidden.
//
// # After a crash
//
// The last blocks of a log or manifest may be torn. They are cut off, as Pebble
// expects, unless a later block proves that they had been on disk: then the
// file is damaged. In all other files any block that does not open is damage.
//
// # What it does not do
//
// It keeps the content from whoever gets the disk or a copy of the folder, and
// detects changed blocks. It does not detect a folder, or a file, put back as a
// whole to an earlier state, nor a log cut off at its end.
package sealedfs
