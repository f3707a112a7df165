package embedded

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// errCorrupt is a record that cannot be read: a fault of disk or program.
var errCorrupt = errors.New("embedded: a stored record is damaged")

// pointer is what the spaces c and h hold about a version.
type pointer struct {
	doc     doc
	version uint64
	method  store.Method
	labels  uint64
	millis  int64
}

func (p pointer) live() bool { return p.method != store.Delete }

func (p pointer) encode() []byte {
	b := appendDoc(make([]byte, 0, 32), p.doc)
	b = append(b, byte(p.method))
	b = binary.AppendUvarint(b, p.version)
	b = binary.AppendUvarint(b, p.labels)
	return binary.AppendVarint(b, p.millis)
}

func decodePointer(b []byte) (pointer, error) {
	r := reader{b: b}
	p := pointer{doc: doc(r.fixed64()), method: store.Method(r.byte()), version: r.uvarint(), labels: r.uvarint(), millis: r.varint()}
	return p, r.err
}

// posting is the value of an index entry.
type posting struct {
	doc    doc
	labels uint64
	end    uint64 // sequence number that superseded it, 0 if none
}

func appendPosting(b []byte, labels, end uint64) []byte {
	b = binary.AppendUvarint(b, labels)
	if end != 0 {
		b = binary.AppendUvarint(b, end)
	}
	return b
}

func decodePosting(key, value []byte) (posting, error) {
	p := posting{doc: docAtEnd(key)}
	n := 0
	if len(value) == 1 && value[0] < 0x80 { // the common case, unrolled
		p.labels = uint64(value[0])
		return p, nil
	}
	if p.labels, n = binary.Uvarint(value); n <= 0 {
		return p, errCorrupt
	}
	if n < len(value) {
		if p.end, n = binary.Uvarint(value[n:]); n <= 0 {
			return p, errCorrupt
		}
	}
	return p, nil
}

// event is what the history of a type holds about a version.
type event struct {
	doc       doc
	labels    uint64
	millis    int64
	endMillis int64  // when the next version came, 0 if none has
	endSeq    uint64 // and its sequence number
}

func (e event) encode() []byte {
	b := binary.AppendUvarint(make([]byte, 0, 24), e.labels)
	b = binary.AppendVarint(b, e.millis)
	if e.endSeq != 0 {
		b = binary.AppendVarint(b, e.endMillis)
		b = binary.AppendUvarint(b, e.endSeq)
	}
	return b
}

func decodeEvent(key, value []byte) (event, error) {
	r := reader{b: value}
	e := event{doc: docAtEnd(key), labels: r.uvarint(), millis: r.varint()}
	if len(r.b) > 0 {
		e.endMillis, e.endSeq = r.varint(), r.uvarint()
	}
	return e, r.err
}

// stored is a version as the space v holds it.
type stored struct {
	store.Version
	labels uint64
}

func encodeVersion(v *store.Version, labels uint64) []byte {
	b := make([]byte, 0, len(v.JSON)+len(v.Type)+len(v.ID)+32)
	b = append(b, byte(v.Method))
	b = binary.AppendUvarint(b, v.Version)
	b = binary.AppendVarint(b, v.Time.UnixMilli())
	b = binary.AppendUvarint(b, labels)
	b = appendText(b, v.Type)
	b = appendText(b, v.ID)
	return append(b, v.JSON...)
}

// decodeVersion reads a record; JSON is copied, Labels are left to the caller.
func decodeVersion(d doc, b []byte) (stored, error) {
	r := reader{b: b}
	var s stored
	s.Seq = d.seq()
	s.Method = store.Method(r.byte())
	s.Version.Version = r.uvarint()
	s.Time = time.UnixMilli(r.varint()).UTC()
	s.labels = r.uvarint()
	s.Type, s.ID = r.text(), r.text()
	if r.err == nil && len(r.b) > 0 {
		s.JSON = append([]byte(nil), r.b...)
	}
	return s, r.err
}

// row is the record of space k: what searches need besides the index.
type row struct {
	id   string
	keys [][]byte
}

func encodeRow(id string, keys [][]byte) []byte {
	n := len(id) + 4
	for _, k := range keys {
		n += len(k) + 2
	}
	b := appendText(make([]byte, 0, n), id)
	for _, k := range keys {
		b = binary.AppendUvarint(b, uint64(len(k)))
		b = append(b, k...)
	}
	return b
}

// decodeRow shares b with its result.
func decodeRow(b []byte, keys [][]byte) (row, error) {
	r := reader{b: b}
	out := row{id: r.text(), keys: keys[:0]}
	for len(r.b) > 0 && r.err == nil {
		out.keys = append(out.keys, r.bytes())
	}
	return out, r.err
}

func encodeLabels(l search.Labels) []byte {
	b := appendText(nil, l.Form)
	b = appendText(b, l.Author)
	for _, p := range l.Patients {
		b = appendText(b, p)
	}
	return b
}

func decodeLabels(b []byte) (search.Labels, error) {
	r := reader{b: b}
	l := search.Labels{Form: r.text(), Author: r.text()}
	for len(r.b) > 0 && r.err == nil {
		l.Patients = append(l.Patients, r.text())
	}
	return l, r.err
}

// state is written with every transaction.
type state struct {
	seq       uint64
	millis    int64  // time of the last transaction
	labels    uint64 // highest number of a label set
	resources int64
	versions  int64
}

func (s state) encode() []byte {
	b := binary.AppendUvarint(make([]byte, 0, 48), s.seq)
	b = binary.AppendVarint(b, s.millis)
	b = binary.AppendUvarint(b, s.labels)
	b = binary.AppendVarint(b, s.resources)
	b = binary.AppendVarint(b, s.versions)
	return b
}

func decodeState(b []byte) (state, error) {
	r := reader{b: b}
	s := state{seq: r.uvarint(), millis: r.varint(), labels: r.uvarint(), resources: r.varint(), versions: r.varint()}
	return s, r.err
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes a record apart; the first fault sticks in err.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.b, r.err = nil, errCorrupt
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) fixed64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // the common case
		x := r.b[0]
		r.b = r.b[1:]
		return uint64(x)
	}
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errCorrupt
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.b, r.err = nil, errCorrupt
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.b, r.err = nil, errCorrupt
		return nil
	}
	return r.take(int(n))
}

func (r *reader) text() string { return string(r.bytes()) }
