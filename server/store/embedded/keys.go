package embedded

import (
	"bytes"
	"encoding/binary"
)

// The spaces of the key space; see the package comment.
const (
	spaceMeta    = 'm'
	spaceCurrent = 'c'
	spaceHistory = 'h'
	spaceVersion = 'v'
	spaceTerms   = 'k'
	spaceType    = 't'
	spaceIndex   = 'i'
	spaceLabels  = 'l'
	spaceLabelNo = 'L'
	spaceEnded   = 'g'
)

// doc numbers a version: sequence number and rank in its transaction. A bigger
// doc is newer; within a transaction the lower type and id is the bigger.
type doc uint64

const (
	rankBits = 20
	maxRank  = 1<<rankBits - 1 // that of groups, and so most writes of one transaction
	docBytes = 8
)

func newDoc(seq uint64, rank int) doc { return doc(seq<<rankBits | uint64(rank)) }

// newestAt is the biggest doc a reader at seq may see.
func newestAt(seq uint64) doc { return doc(seq<<rankBits | maxRank) }

func (d doc) seq() uint64 { return uint64(d) >> rankBits }

func appendDoc(b []byte, d doc) []byte { return binary.BigEndian.AppendUint64(b, uint64(d)) }

func appendNewestFirst(b []byte, d doc) []byte { return binary.BigEndian.AppendUint64(b, ^uint64(d)) }

// docAtEnd reads the complemented doc that ends a key.
func docAtEnd(key []byte) doc {
	return doc(^binary.BigEndian.Uint64(key[len(key)-docBytes:]))
}

func typePrefix(space byte, typ string) []byte {
	b := make([]byte, 0, len(typ)+64)
	b = append(b, space)
	b = append(b, typ...)
	return append(b, 0)
}

func currentKey(typ, id string) []byte { return append(typePrefix(spaceCurrent, typ), id...) }

func historyPrefix(typ, id string) []byte {
	return append(append(typePrefix(spaceHistory, typ), id...), 0)
}

func historyKey(typ, id string, version uint64) []byte {
	return binary.BigEndian.AppendUint64(historyPrefix(typ, id), ^version)
}

func versionKey(d doc) []byte { return appendDoc([]byte{spaceVersion}, d) }

func termsKey(d doc) []byte { return appendNewestFirst([]byte{spaceTerms}, d) }

func typeKey(typ string, d doc) []byte { return appendNewestFirst(typePrefix(spaceType, typ), d) }

func endedKey(end uint64, d doc) []byte {
	return appendDoc(binary.BigEndian.AppendUint64([]byte{spaceEnded}, end), d)
}

// The kinds of lists in the index of a type.
const (
	listAll     = 1 // every current resource of the type
	listPatient = 2 // by patient label
	listAuthor  = 3 // by author label
	listTerm    = 4 // by index key
	listMoment  = 5 // by index key, in the order of a value; see timeline.go

	listKindMoment = 6 // by two index keys, in the order of a value
)

// A term in a key is escaped so that it is no prefix of another and sorts as
// it did: 00 becomes 00 FF, and 00 01 ends it.
func appendTerm(b, term []byte) []byte {
	for {
		i := bytes.IndexByte(term, 0)
		if i < 0 {
			return append(append(b, term...), 0, 1)
		}
		b = append(append(b, term[:i]...), 0, 0xff)
		term = term[i+1:]
	}
}

// termOf is the reverse of appendTerm, without the ending.
func termOf(b, escaped []byte) []byte {
	for {
		i := bytes.IndexByte(escaped, 0)
		if i < 0 {
			return append(b, escaped...)
		}
		b = append(b, escaped[:i+1]...)
		escaped = escaped[i+2:]
	}
}

// cutTerm returns the term that an escaped one at the start of b stands for.
func cutTerm(b []byte) []byte {
	return termOf(nil, b[:bytes.Index(b, []byte{0, 1})])
}

// listKey is the prefix of all entries of one list.
func listKey(typ string, kind byte, term []byte) []byte {
	b := append(typePrefix(spaceIndex, typ), kind)
	if kind == listAll {
		return b
	}
	return appendTerm(b, term)
}

// after is the first key behind every key with this prefix.
func after(prefix []byte) []byte {
	b := bytes.Clone(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}
