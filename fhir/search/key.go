package search

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// The kinds of keys. A kind byte follows the code of the parameter and tells
// how the rest is made; the shape is given where the kind is written. What
// follows the kind is called an atom here, kind included.
const (
	kindToken      = 't' // code 00 system                     token.go
	kindTokenText  = 'x' // folded text                        token.go
	kindOfType     = 'o' // value 00 code 00 system            token.go
	kindString     = 's' // folded 00 form exact               string.go
	kindWindow     = 'w' // a further piece of a long string   string.go
	kindReference  = 'r' // id 00 type                         reference.go
	kindVersioned  = 'v' // id 00 type 00 version              reference.go
	kindURL        = 'u' // url 00 version                     reference.go, uri.go
	kindIdentifier = 'i' // value 00 system                    reference.go
	kindDate       = 'd' // from to, at most a day apart       date.go
	kindSpan       = 'D' // from to, further apart             date.go
	kindSpanEnd    = 'E' // to from of a span                  date.go
	kindNumber     = 'n' // number                             number.go
	kindInterval   = 'N' // low high                           number.go
	kindQuantity   = 'q' // number code 00 unit 00 system      quantity.go
	kindBetween    = 'Q' // low high code 00 unit 00 system    quantity.go
	kindCanonical  = 'U' // canonical unit 00 number           quantity.go
	kindCanonicals = 'W' // canonical unit 00 low high         quantity.go
	kindComposite  = 'k' // escaped atoms                      composite.go
	kindPlace      = 'g' // latitude longitude                 near.go
	kindGram       = 'b' // word or pair of characters         fulltext.go
	kindPresent    = 'p' // a value that has no other key
)

// longest is the length in bytes from which on a text in a key is cut and ends
// in a hash instead.
const longest = 200

// appendText appends s. One that is too long is cut and followed by 01 and
// part of its SHA-256, so that equal keys still mean equal texts.
func appendText(dst []byte, s string) []byte {
	if len(s) <= longest {
		return append(dst, s...)
	}
	sum := sha256.Sum256([]byte(s))
	dst = append(dst, s[:longest]...)
	dst = append(dst, 1)
	return append(dst, sum[:16]...)
}

// appendInt64 appends n in eight bytes that sort as n does.
func appendInt64(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(n)^1<<63)
}

func readInt64(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) }

// field returns the bytes before the first 00 and those after it.
func field(b []byte) (first, rest []byte) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// exactly is the range that holds one key.
func exactly(key []byte) Range {
	return Range{Low: key, High: append(slices.Clip(key), 0)}
}

// startingWith is the range of the keys with that prefix.
func startingWith(prefix []byte) Range {
	return Range{Low: prefix, High: successor(prefix)}
}

// between is the range of keys under a prefix whose rest is in [low, high);
// a nil high has no upper end.
func between(prefix, low, high []byte) Range {
	r := Range{Low: concat(prefix, low)}
	if high == nil {
		r.High = successor(prefix)
	} else {
		r.High = concat(prefix, high)
	}
	return r
}

// successor returns the smallest key after every key with that prefix. Prefixes
// begin with a code or a kind, so they are never all ff.
func successor(prefix []byte) []byte {
	next := slices.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i] < 0xff {
			next[i]++
			return next[:i+1]
		}
	}
	return append(slices.Clone(prefix), 0xff)
}

func concat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// Contains reports whether a key lies in the range and passes Keep.
func (r Range) Contains(key []byte) bool {
	return bytes.Compare(key, r.Low) >= 0 && bytes.Compare(key, r.High) < 0 && (r.Keep == nil || r.Keep(key))
}

// keyPrefix is what all keys of a parameter begin with.
func keyPrefix(code string) []byte {
	dst := make([]byte, 0, len(code)+1)
	return append(append(dst, code...), 0)
}

// under moves a range of atoms below the prefix of a parameter.
func (r Range) under(prefix []byte) Range {
	out := Range{Low: concat(prefix, r.Low), High: concat(prefix, r.High)}
	if keep, n := r.Keep, len(prefix); keep != nil {
		out.Keep = func(key []byte) bool { return keep(key[n:]) }
	}
	return out
}

// keys collects the keys of one resource in one buffer.
type keys struct {
	buf    []byte
	prefix []byte // of the parameter at work
	ends   []int  // where each key ends in buf
	atoms  bool   // leave out what composites cannot use
}

// begin starts a key of that kind; the caller appends the rest to buf and
// calls end.
func (k *keys) begin(kind byte) {
	k.buf = append(k.buf, k.prefix...)
	k.buf = append(k.buf, kind)
}

// start is where the key at work begins in buf.
func (k *keys) start() int {
	if n := len(k.ends); n > 0 {
		return k.ends[n-1]
	}
	return 0
}

func (k *keys) end() { k.ends = append(k.ends, len(k.buf)) }

func (k *keys) text(s string) *keys {
	k.buf = appendText(k.buf, s)
	return k
}

func (k *keys) sep() *keys {
	k.buf = append(k.buf, 0)
	return k
}

// at returns key number i; it stays valid while nothing is added.
func (k *keys) at(i int) []byte {
	start := 0
	if i > 0 {
		start = k.ends[i-1]
	}
	return k.buf[start:k.ends[i]:k.ends[i]]
}

// sorted returns the keys in order, each once. groups are where the keys of
// each parameter begin; parameters are in order already.
func (k *keys) sorted(groups []int) [][]byte {
	out := make([][]byte, len(k.ends), len(k.ends)+1) // _lastUpdated may come to it
	for i := range out {
		out[i] = k.at(i)
	}
	for i, start := range groups {
		end := len(out)
		if i+1 < len(groups) {
			end = groups[i+1]
		}
		if end-start > 1 {
			slices.SortFunc(out[start:end], bytes.Compare)
		}
	}
	return slices.CompactFunc(out, bytes.Equal)
}
