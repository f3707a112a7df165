package mongodb

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// position is the content of Page.Next: where a page ended. It names the
// snapshot, so that paging is stable for callers who give back only Next, and
// carries the total, which is the same for all pages.
type position struct {
	AsOf  int64    `bson:"a"`
	Total int64    `bson:"n"` // -1 where unknown
	Seq   int64    `bson:"s"`
	Type  string   `bson:"t"`
	ID    string   `bson:"i"`
	Part  int      `bson:"p,omitempty"`
	Sort  [][]byte `bson:"k,omitempty"`
	// None tells which elements of Sort are missing values.
	None []bool `bson:"m,omitempty"`

	set bool
}

func newPosition(asOf uint64, total int64, last hit) position {
	p := position{AsOf: int64(asOf), Total: total, Seq: last.seq, Type: last.key.Type, ID: last.key.ID, Part: last.part, set: true}
	for _, s := range last.sort {
		p.Sort, p.None = append(p.Sort, append([]byte{}, s...)), append(p.None, s == nil)
	}
	return p
}

// hit is the last match of the page before.
func (p position) hit() hit {
	h := hit{seq: p.Seq, key: store.Key{Type: p.Type, ID: p.ID}, part: p.Part}
	for i, s := range p.Sort {
		if p.None[i] {
			s = nil
		}
		h.sort = append(h.sort, s)
	}
	return h
}

func (p position) encode() (string, error) {
	b, err := bson.Marshal(p)
	if err != nil {
		return "", err
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// readPosition reads a position, "" being the beginning, and settles on the
// snapshot. A text that is none is an expired one: its maker is unknown. keys
// is how many values it must have.
func readPosition(text string, asOf uint64, keys int) (position, uint64, error) {
	p := position{Total: -1}
	if text == "" {
		return p, asOf, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if n := len(b) - 4; err != nil || n < 0 || crc32.ChecksumIEEE(b[:n]) != binary.BigEndian.Uint32(b[n:]) {
		return p, 0, fmt.Errorf("%w: the page position is damaged", store.ErrExpired)
	}
	if err := bson.Unmarshal(b[:len(b)-4], &p); err != nil || p.AsOf <= 0 || len(p.Sort) != keys || len(p.None) != keys {
		return p, 0, fmt.Errorf("%w: the page position is of another query", store.ErrExpired)
	}
	p.set = true
	if asOf == 0 {
		asOf = uint64(p.AsOf)
	}
	return p, asOf, nil
}
