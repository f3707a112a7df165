package embedded

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// FuzzPosition feeds texts to the reader of page positions, which come from
// clients, and searches with those it accepts.
func FuzzPosition(f *testing.F) {
	f.Add("")
	f.Add("!")
	f.Add(position{asOf: 1, total: -1, doc: newDoc(1, 0)}.encode())
	f.Add(position{asOf: 1, total: 5, doc: 0, sort: [][]byte{nil, {}, []byte("a\x00b")}}.encode())
	e, err := OpenMemory(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, asOf, err := readPosition(text, 0)
		if err != nil || text == "" {
			return
		}
		again, asOf2, err := readPosition(p.encode(), 0)
		if err != nil || asOf2 != asOf || !cmp.Equal(p, again, cmp.AllowUnexported(position{})) {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
		q := search.Query{Must: search.Must{Unrestricted: true}, Count: 1, After: text}
		if page, err := e.Search(t.Context(), q); err == nil && len(page.Versions) > 0 {
			t.Error("an empty store has resources")
		}
	})
}

// FuzzRecords feeds bytes to the readers of stored records: a damaged one is an
// error.
func FuzzRecords(f *testing.F) {
	f.Add(pointer{doc: 5, version: 2, method: 1, labels: 3, millis: 4}.encode())
	f.Add(event{labels: 1, millis: 2, endMillis: 3, endSeq: 4}.encode())
	f.Add(encodeRow("id", [][]byte{[]byte("a"), {}}))
	f.Add(encodeLabels(search.Labels{Form: "f", Patients: []string{"p"}}))
	f.Add(state{seq: 9, versions: 2}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := decodePointer(b); err == nil {
			if q, err := decodePointer(p.encode()); err != nil || p != q {
				t.Errorf("pointer %+v became %+v, %v", p, q, err)
			}
		}
		if s, err := decodeState(b); err == nil {
			if q, err := decodeState(s.encode()); err != nil || s != q {
				t.Errorf("state %+v became %+v, %v", s, q, err)
			}
		}
		if l, err := decodeLabels(b); err == nil {
			if q, err := decodeLabels(encodeLabels(l)); err != nil || !cmp.Equal(l, q) {
				t.Errorf("labels %+v became %+v, %v", l, q, err)
			}
		}
		if r, err := decodeRow(b, nil); err == nil {
			if q, err := decodeRow(encodeRow(r.id, r.keys), nil); err != nil || q.id != r.id || len(q.keys) != len(r.keys) {
				t.Errorf("row %+v became %+v, %v", r, q, err)
			}
		}
		if g, err := readGroup(nil, groupOf(7), b); err == nil {
			if q, err := readGroup(nil, groupOf(7), appendGroup(nil, g)); err != nil || !slices.Equal(g, q) {
				t.Errorf("group %+v became %+v, %v", g, q, err)
			}
		}
		_, _ = decodeEvent(make([]byte, 8), b)
		_, _ = decodePosting(make([]byte, 8), b)
		_, _ = decodeVersion(1, b)
		_, _ = decodeBackup(b)
	})
}

// FuzzTerm checks that escaped terms keep their order and come back.
func FuzzTerm(f *testing.F) {
	f.Add([]byte("a\x00"), []byte("a\x00\x00b"))
	f.Add([]byte(""), []byte("\x00\xff"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, y := appendTerm(nil, a), appendTerm(nil, b)
		if got := termOf(nil, x[:len(x)-2]); string(got) != string(a) {
			t.Errorf("%q came back as %q", a, got)
		}
		if (string(a) < string(b)) != (string(x) < string(y)) {
			t.Errorf("%q and %q change their order", a, b)
		}
		if string(a) != string(b) && hasPrefix(y, x) {
			t.Errorf("%q is a prefix of %q", x, y)
		}
	})
}
