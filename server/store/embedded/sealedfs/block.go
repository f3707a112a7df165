package sealedfs

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

const (
	fileMagic   = "kgfseal1"
	headerBytes = len(fileMagic) + 4 + 12 + keyBytes + tagBytes
	tagBytes    = 16

	blockBytes = 4 << 10 // of plain text
	headBytes  = 4 + 4 + 8 + 8
	overhead   = headBytes + tagBytes
	frameBytes = blockBytes + overhead
)

// head is what a block says about itself in the clear, authenticated.
type head struct {
	number uint32 // 0, 1, 2, …
	length uint32 // 1 to blockBytes
	offset uint64 // of its first byte in the plain file
	synced uint64 // plain bytes that were on disk when it was written
}

func (h head) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.number)
	b = binary.BigEndian.AppendUint32(b, h.length)
	b = binary.BigEndian.AppendUint64(b, h.offset)
	return binary.BigEndian.AppendUint64(b, h.synced)
}

func parseHead(b []byte) head {
	return head{
		number: binary.BigEndian.Uint32(b), length: binary.BigEndian.Uint32(b[4:]),
		offset: binary.BigEndian.Uint64(b[8:]), synced: binary.BigEndian.Uint64(b[16:]),
	}
}

func (h head) nonce() []byte {
	var n [12]byte
	binary.BigEndian.PutUint32(n[8:], h.number)
	return n[:]
}

// seal appends a whole block.
func seal(aead cipher.AEAD, b []byte, h head, plain []byte) []byte {
	at := len(b)
	b = h.append(b)
	return aead.Seal(b, h.nonce(), plain, b[at:at+headBytes])
}

// unseal opens the block at the beginning of b, appending to dst; ok is false
// where it is none, cut off or changed.
func unseal(aead cipher.AEAD, dst, b []byte) (plain []byte, h head, ok bool) {
	if len(b) < overhead {
		return dst, h, false
	}
	h = parseHead(b)
	if h.length == 0 || h.length > blockBytes || len(b) < overhead+int(h.length) {
		return dst, h, false
	}
	plain, err := aead.Open(dst, h.nonce(), b[headBytes:overhead+int(h.length)], b[:headBytes])
	return plain, h, err == nil
}

// newHeader makes the data key of a file.
func (k *Keys) newHeader() (header []byte, aead cipher.AEAD, err error) {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, nil, err
	}
	header = binary.BigEndian.AppendUint32([]byte(fileMagic), k.newest)
	wrapped, err := wrap(k.aeads[k.newest], key, header)
	if err != nil {
		return nil, nil, err
	}
	aead, err = newAEAD(key)
	return append(header, wrapped...), aead, err
}

// openHeader finds the data key of a file.
func (k *Keys) openHeader(b []byte) (cipher.AEAD, bool) {
	if len(b) < headerBytes || string(b[:len(fileMagic)]) != fileMagic {
		return nil, false
	}
	at := len(fileMagic) + 4
	folder, ok := k.aeads[binary.BigEndian.Uint32(b[len(fileMagic):])]
	if !ok {
		return nil, false
	}
	key, err := unwrap(folder, b[at:headerBytes], b[:at])
	if err != nil {
		return nil, false
	}
	aead, err := newAEAD(key)
	return aead, err == nil
}

// damaged names a file by its last element, which says nothing about people.
func damaged(name string, what string) error {
	return fmt.Errorf("%w: %s of %s: %w", ErrDamaged, what, name, pebble.ErrCorruption)
}
