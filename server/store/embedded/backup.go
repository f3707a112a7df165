package embedded

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// A backup is a stream of versions in the order of their sequence numbers:
//
//	magic
//	zstd( frame(since, upTo) frame(version)… frame() )
//
// A frame is a length, a CRC-32C and that many bytes. The empty frame at the
// end tells a whole backup from one that was cut off.
const backupMagic = "kaigofhir store backup 1\n"

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// errBackup is a stream that cannot be restored.
var errBackup = errors.New("embedded: the backup is damaged or incomplete")

// The backups that cannot go on after another.
var (
	// ErrErased: a restore would bring back what was erased since.
	ErrErased = errors.New("embedded: records were erased since the earlier backup; make a whole one")
	// ErrAhead: the earlier backup knows more than the store.
	ErrAhead = errors.New("embedded: the earlier backup is not of this store")
)

// Follows returns an error, ErrErased or ErrAhead, where no incremental backup
// may follow one that ended at since.
func (e *Engine) Follows(ctx context.Context, since uint64) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	return e.follows(e.db, since, e.durable.seq())
}

func (e *Engine) follows(r pebble.Reader, since, upTo uint64) error {
	if since > upTo {
		return ErrAhead
	}
	b, ok, err := e.get(r, metaKey(metaErased))
	if err != nil || !ok || since == 0 {
		return err
	}
	if erased, _ := binary.Uvarint(b); erased > since {
		return ErrErased
	}
	return nil
}

// Backup writes every version after since, 0 for all, as of this moment. Others
// may read and write meanwhile. The result is the sequence number to give as
// since for the next, incremental backup. progress, where not nil, is told from
// time to time which changes of how many are written.
func (e *Engine) Backup(ctx context.Context, w io.Writer, since uint64, progress func(done, of uint64)) (upTo uint64, err error) {
	if err := e.begin(ctx); err != nil {
		return 0, err
	}
	defer e.end()
	v := e.viewAt(ctx, e.durable.seq())
	defer func() {
		v.close()
		err = errors.Join(err, v.err)
	}()
	if err := e.follows(v.snap, since, v.seq); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(w, backupMagic); err != nil {
		return 0, err
	}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return 0, err
	}
	head := binary.AppendUvarint(binary.AppendUvarint(nil, since), v.seq)
	if err := writeFrame(z, head); err != nil {
		return 0, err
	}
	if err := v.backup(z, since, progress); err != nil {
		return 0, err
	}
	if err := writeFrame(z, nil); err != nil {
		return 0, err
	}
	return v.seq, z.Close()
}

// backupTells is after how many versions progress is told.
const backupTells = 1000

func (v *view) backup(w io.Writer, since uint64, progress func(done, of uint64)) error {
	it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: versionKey(newDoc(since+1, 0)), UpperBound: versionKey(newDoc(v.seq+1, 0))})
	if err != nil {
		return err
	}
	v.its = append(v.its, it)
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		d := doc(^uint64(docAtEnd(it.Key())))
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		s, err := decodeVersion(d, value)
		if err != nil {
			return err
		}
		if s.Labels, err = v.e.labels.get(s.labels); err != nil {
			return err
		}
		keys, indexed, err := v.e.get(v.snap, termsKey(d))
		if err != nil {
			return err
		}
		if err := writeFrame(w, encodeBackup(d, &s.Version, keys, indexed)); err != nil {
			return err
		}
		if err := v.tick(); err != nil {
			return err
		}
		if n++; n%backupTells == 0 && progress != nil {
			progress(d.seq()-since, v.seq-since)
		}
	}
	return it.Error()
}

// encodeBackup writes a version with its labels and, where it is still in the
// index, its keys.
func encodeBackup(d doc, s *store.Version, row []byte, indexed bool) []byte {
	b := appendDoc(nil, d)
	b = appendText(b, string(encodeLabels(s.Labels)))
	if indexed {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = appendText(b, string(row))
	return append(b, encodeVersion(s, 0)...)
}

// saved is a version read from a backup.
type saved struct {
	stored
	doc     doc
	indexed bool
}

func decodeBackup(b []byte) (saved, error) {
	r := reader{b: b}
	s := saved{doc: doc(r.fixed64())}
	labels := r.bytes()
	s.indexed = r.byte() == 1
	keys := r.bytes()
	if r.err != nil {
		return s, errBackup
	}
	var err error
	if s.stored, err = decodeVersion(s.doc, r.b); err != nil {
		return s, errBackup
	}
	if s.Labels, err = decodeLabels(labels); err != nil {
		return s, errBackup
	}
	if s.indexed {
		row, err := decodeRow(keys, nil)
		if err != nil {
			return s, errBackup
		}
		s.Keys = row.keys
	}
	return s, nil
}

func writeFrame(w io.Writer, b []byte) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	head = binary.BigEndian.AppendUint32(head, crc32.Checksum(b, crcTable))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

// maxFrame bounds what a damaged length can ask for.
const maxFrame = 1 << 30

func readFrame(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", errBackup, err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, errBackup
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("%w: %w", errBackup, err)
	}
	if crc32.Checksum(b, crcTable) != binary.BigEndian.Uint32(head[4:]) {
		return nil, errBackup
	}
	return b, nil
}

// openBackup reads the beginning of a backup. The caller closes the decoder.
func openBackup(r io.Reader) (frames *zstd.Decoder, since, upTo uint64, err error) {
	buffered := bufio.NewReader(r)
	magic := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(buffered, magic); err != nil || string(magic) != backupMagic {
		return nil, 0, 0, fmt.Errorf("%w: it does not begin as one", errBackup)
	}
	z, err := zstd.NewReader(buffered)
	if err != nil {
		return nil, 0, 0, err
	}
	head, err := readFrame(z)
	if err != nil {
		z.Close()
		return nil, 0, 0, err
	}
	f := reader{b: head}
	since, upTo = f.uvarint(), f.uvarint()
	if f.err != nil {
		z.Close()
		return nil, 0, 0, errBackup
	}
	return z, since, upTo, nil
}

// BackupRange reads from the beginning of a backup which changes it holds: those
// after since, up to and including upTo.
func BackupRange(r io.Reader) (since, upTo uint64, err error) {
	z, since, upTo, err := openBackup(r)
	if err != nil {
		return 0, 0, err
	}
	z.Close()
	return since, upTo, nil
}
