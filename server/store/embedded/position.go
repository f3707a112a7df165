package embedded

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// position is the content of Page.Next: where a page ended. It names the
// snapshot, so that paging is stable for callers who give back only Next, and
// carries the total, which is the same for all pages.
type position struct {
	set   bool
	asOf  uint64
	total int64 // -1 where unknown
	doc   doc
	part  int
	sort  [][]byte // nil elements: the resource had no value
}

// positionFormat begins every position. Those of a program with another layout
// are expired.
const positionFormat = 2

// hit is the last hit of the page before.
func (p position) hit() hit { return hit{doc: p.doc, part: p.part, sort: p.sort} }

func (p position) encode() string {
	b := []byte{positionFormat}
	b = binary.AppendUvarint(b, p.asOf)
	b = binary.AppendVarint(b, p.total)
	b = appendDoc(b, p.doc)
	b = binary.AppendUvarint(b, uint64(p.part))
	for _, s := range p.sort {
		if s == nil {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// readPosition reads a position, "" being the beginning, and settles on the
// snapshot. A text that is none is an expired one: its maker is unknown.
func readPosition(text string, asOf uint64) (position, uint64, error) {
	if text == "" {
		return position{total: -1}, asOf, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != positionFormat {
		return position{}, 0, fmt.Errorf("%w: the page position is damaged", store.ErrExpired)
	}
	r := reader{b: b[1:]}
	p := position{set: true, asOf: r.uvarint(), total: r.varint(), doc: doc(r.fixed64()), part: int(r.uvarint() & math.MaxInt32)}
	for len(r.b) > 0 && r.err == nil {
		if r.byte() == 0 {
			p.sort = append(p.sort, nil)
		} else {
			p.sort = append(p.sort, append([]byte{}, r.bytes()...))
		}
	}
	if r.err != nil || p.asOf == 0 {
		return position{}, 0, fmt.Errorf("%w: the page position is damaged", store.ErrExpired)
	}
	if asOf == 0 {
		asOf = p.asOf
	}
	return p, asOf, nil
}
