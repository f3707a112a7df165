package sealedfs

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// reader opens a file. All but pos is settled when it is opened, so that ReadAt
// may be called by many.
type reader struct {
	vfs.File
	name string
	aead cipher.AEAD
	size int64 // plain
	// blocks is where each block lies; nil where all but the last are full.
	blocks []place
	pos    int64
}

// place is where a block lies in the plain file and on disk.
type place struct{ plain, disk int64 }

func (r *reader) open(keys *Keys) error {
	info, err := r.File.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	header := make([]byte, min(info.Size(), int64(headerBytes)))
	if _, err := r.File.ReadAt(header, 0); err != nil {
		return err
	}
	var ok bool
	if r.aead, ok = keys.openHeader(header); !ok {
		if mayBeTorn(r.name) && (len(header) < headerBytes || len(bytes.Trim(header, "\x00")) == 0) {
			return nil // its header did not reach the disk, so nothing was synced
		}
		return damaged(r.name, "the header")
	}
	if even, err := r.isEven(info.Size()); err != nil || even {
		return err
	}
	return r.scan(info.Size())
}

// isEven asks the last block whether all before it are full: where it stands on
// disk and its offset in the plain file then agree.
func (r *reader) isEven(size int64) (bool, error) {
	plain := plainSize(size)
	if plain == 0 {
		return false, nil
	}
	last := (plain - 1) / blockBytes
	b := make([]byte, size-sealedSize(last*blockBytes))
	if _, err := r.File.ReadAt(b, sealedSize(last*blockBytes)); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	_, h, ok := unseal(r.aead, nil, b)
	if !ok || int64(h.number) != last || int64(h.offset) != last*blockBytes || overhead+int(h.length) != len(b) {
		return false, nil
	}
	r.size = plain
	return true, nil
}

// scan opens every block of a file that was synced as it was written.
func (r *reader) scan(size int64) error {
	data := make([]byte, size-int64(headerBytes))
	if _, err := r.File.ReadAt(data, int64(headerBytes)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.blocks = []place{}
	scratch := make([]byte, 0, blockBytes)
	for at := 0; at < len(data); {
		_, h, ok := unseal(r.aead, scratch, data[at:])
		if !ok || int(h.number) != len(r.blocks) || int64(h.offset) != r.size {
			return r.torn(data[at:])
		}
		r.blocks = append(r.blocks, place{r.size, int64(headerBytes + at)})
		r.size += int64(h.length)
		at += overhead + int(h.length)
	}
	return nil
}

// torn judges a block that does not open: the end of a file that a crash tore,
// or damage. rest begins with the block.
func (r *reader) torn(rest []byte) error {
	broken := damaged(r.name, fmt.Sprintf("block %d", len(r.blocks)))
	if !mayBeTorn(r.name) {
		return broken
	}
	scratch := make([]byte, 0, blockBytes)
	for at := 0; at+overhead <= len(rest); at++ {
		h := parseHead(rest[at:])
		if int64(h.synced) <= r.size || h.synced > h.offset || h.length == 0 || h.length > blockBytes || int64(h.offset) > r.size+int64(len(rest)) {
			continue
		}
		if _, _, ok := unseal(r.aead, scratch, rest[at:]); ok {
			return broken // it had been on disk
		}
	}
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.ReadAt(p, r.pos)
	r.pos += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	want := min(int64(len(p)), r.size-off)
	if off < 0 || want <= 0 {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	first, last := r.find(off), r.find(off+want-1)
	begin, end := r.place(first), r.place(last+1)
	b := make([]byte, end.disk-begin.disk)
	if n, err := r.File.ReadAt(b, begin.disk); n < len(b) {
		return 0, err
	}
	n, err := r.unseal(p[:want], b, first, begin, off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// unseal fills p with the plain text from off; b begins with a block at begin.
func (r *reader) unseal(p, b []byte, number int, begin place, off int64) (int, error) {
	n, scratch := 0, make([]byte, 0, blockBytes)
	for offset := begin.plain; n < len(p); number++ {
		plain, h, ok := unseal(r.aead, scratch, b)
		if !ok || int(h.number) != number || int64(h.offset) != offset {
			return 0, damaged(r.name, fmt.Sprintf("block %d", number))
		}
		n += copy(p[n:], plain[max(0, off-offset):])
		offset += int64(len(plain))
		b = b[overhead+len(plain):]
	}
	return n, nil
}

// find returns the number of the block that holds a byte.
func (r *reader) find(off int64) int {
	if r.blocks == nil {
		return int(off / blockBytes)
	}
	return sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].plain > off }) - 1
}

// place returns where a block begins; that after the last one is the end.
func (r *reader) place(number int) place {
	if r.blocks == nil {
		plain := min(int64(number)*blockBytes, r.size)
		return place{plain, sealedSize(plain)}
	}
	if number == len(r.blocks) {
		last := r.blocks[number-1]
		return place{r.size, last.disk + r.size - last.plain + overhead}
	}
	return r.blocks[number]
}

func (r *reader) Stat() (vfs.FileInfo, error) {
	info, err := r.File.Stat()
	if err != nil {
		return nil, err
	}
	return plainInfo{info, r.size}, nil
}

func (r *reader) Prefetch(offset, length int64) error {
	return r.File.Prefetch(sealedSize(offset/blockBytes*blockBytes), sealedSize(length)-int64(headerBytes))
}

func (r *reader) Write([]byte) (int, error)          { return 0, errors.ErrUnsupported }
func (r *reader) WriteAt([]byte, int64) (int, error) { return 0, errors.ErrUnsupported }
