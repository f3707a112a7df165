package sealedfs

import (
	"bufio"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
)

// A stream is sealed for a place outside of the folder, such as a backup: its
// data key is wrapped by the master key itself.
const streamMagic = "kgfstrm1"

// SealTo returns a writer that seals to w; Close writes the last block and
// leaves w open. That the stream is whole must be told from its content.
func SealTo(ctx context.Context, w io.Writer, master MasterKey) (io.WriteCloser, error) {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	wrapped, err := master.Wrap(ctx, key)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	header := binary.BigEndian.AppendUint32([]byte(streamMagic), uint32(len(wrapped)))
	if _, err := w.Write(append(header, wrapped...)); err != nil {
		return nil, err
	}
	s := &sealing{w: w, aead: aead}
	s.Writer = bufio.NewWriterSize(blockWriter{s}, blockBytes)
	return s, nil
}

type sealing struct {
	*bufio.Writer
	w    io.Writer
	aead cipher.AEAD
	next head
}

func (s *sealing) Close() error { return s.Flush() }

// blockWriter seals what the buffer hands over: a block or more.
type blockWriter struct{ s *sealing }

func (b blockWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		piece := rest[:min(len(rest), blockBytes)]
		h := b.s.next
		h.length = uint32(len(piece))
		if _, err := b.s.w.Write(seal(b.s.aead, nil, h, piece)); err != nil {
			return 0, err
		}
		b.s.next.number++
		b.s.next.offset += uint64(len(piece))
		rest = rest[len(piece):]
	}
	return len(p), nil
}

// Sealed tells whether a stream is sealed. It must be buffered.
func Sealed(r *bufio.Reader) bool {
	b, err := r.Peek(len(streamMagic))
	return err == nil && string(b) == streamMagic
}

// maxWrapped bounds what a damaged length can ask for.
const maxWrapped = 1 << 16

// UnsealFrom returns the content of what SealTo wrote. A changed block is
// ErrDamaged, another key ErrWrongKey.
func UnsealFrom(ctx context.Context, r io.Reader, master MasterKey) (io.Reader, error) {
	header := make([]byte, len(streamMagic)+4)
	if _, err := io.ReadFull(r, header); err != nil || string(header[:len(streamMagic)]) != streamMagic {
		return nil, fmt.Errorf("%w: it does not begin as a sealed stream", ErrDamaged)
	}
	n := binary.BigEndian.Uint32(header[len(streamMagic):])
	if n > maxWrapped {
		return nil, ErrDamaged
	}
	wrapped := make([]byte, n)
	if _, err := io.ReadFull(r, wrapped); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	key, err := master.Unwrap(ctx, wrapped)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, ErrDamaged
	}
	return &unsealing{r: r, aead: aead}, nil
}

type unsealing struct {
	r    io.Reader
	aead cipher.AEAD
	next head
	rest []byte
}

func (u *unsealing) Read(p []byte) (int, error) {
	if len(u.rest) == 0 {
		if err := u.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// fill opens the next block.
func (u *unsealing) fill() error {
	b := make([]byte, headBytes, frameBytes)
	if n, err := io.ReadFull(u.r, b); n == 0 {
		return err
	} else if err != nil {
		return ErrDamaged
	}
	h := parseHead(b)
	if h.length > blockBytes {
		return ErrDamaged
	}
	b = b[:overhead+int(h.length)]
	if _, err := io.ReadFull(u.r, b[headBytes:]); err != nil {
		return ErrDamaged
	}
	plain, h, ok := unseal(u.aead, nil, b)
	if !ok || h.number != u.next.number || h.offset != u.next.offset {
		return fmt.Errorf("%w: block %d", ErrDamaged, u.next.number)
	}
	u.next.number++
	u.next.offset += uint64(len(plain))
	u.rest = plain
	return nil
}
