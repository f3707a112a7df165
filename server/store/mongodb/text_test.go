package mongodb

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/server/store"
)

func FuzzText(f *testing.F) {
	f.Add([]byte("birthdate\x00d\x80\x00"), []byte("birthdate\x00d\x7f\xff"))
	f.Add([]byte(""), []byte{0})
	f.Add([]byte{0x7e, 0xff}, []byte{0x7f})
	f.Add([]byte("\u3042"), []byte("\u3044\x00"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		ta, tb := text(a), text(b)
		if !utf8.ValidString(ta) || strings.Contains(ta, "\x00") {
			t.Errorf("%q is no text that MongoDB takes", ta)
		}
		if !bytes.Equal(fromText(ta), a) {
			t.Errorf("%x comes back as %x", a, fromText(ta))
		}
		if strings.Compare(ta, tb) != bytes.Compare(a, b) {
			t.Errorf("%x and %x are ordered otherwise as texts", a, b)
		}
	})
}

func FuzzPosition(f *testing.F) {
	p, err := newPosition(7, 3, hit{seq: 5, key: store.Key{Type: "Patient", ID: "1"}, sort: [][]byte{nil, {}, {1}}}).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p, 3)
	f.Add("!", 0)
	f.Add("AAAA", 0)
	f.Fuzz(func(t *testing.T, s string, keys int) {
		p, _, err := readPosition(s, 0, keys)
		if err != nil || !p.set {
			return
		}
		again, err := p.encode()
		if err != nil {
			t.Fatal(err)
		}
		q, _, err := readPosition(again, 0, keys)
		if err != nil || q.hit().seq != p.hit().seq || len(q.hit().sort) != keys {
			t.Errorf("%q comes back as %+v, %v", s, q, err)
		}
	})
}

func TestPositionKeepsMissingValues(t *testing.T) {
	h := hit{seq: 5, key: store.Key{Type: "Patient", ID: "1"}, sort: [][]byte{nil, {}, {1}}}
	s, err := newPosition(7, 3, h).encode()
	if err != nil {
		t.Fatal(err)
	}
	p, asOf, err := readPosition(s, 0, 3)
	got := p.hit().sort
	if err != nil || asOf != 7 || got[0] != nil || got[1] == nil || !bytes.Equal(got[2], []byte{1}) {
		t.Errorf("%+v as of %d, %v", p, asOf, err)
	}
}

func TestDatabaseOf(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://a:1,b:2/care?replicaSet=rs0": "care",
		"mongodb://a":                           "kaigofhir",
		"mongodb://a/?tls=true":                 "kaigofhir",
		"mongodb+srv://u:p@a/kaigo":             "kaigo",
	} {
		if got := databaseOf(uri); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}
