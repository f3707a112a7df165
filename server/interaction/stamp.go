package interaction

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// timeFormat is how meta.lastUpdated is written: UTC, always milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// stamp is a resource encoded up to its version and time, which only the
// engine knows: filling them in costs two copies, no encoding.
type stamp struct {
	head, middle, tail string
	keys               [][]byte
}

const (
	versionMark = "@"
	timeMark    = "@"
)

// newStamp takes the content, whose id, meta.versionId and meta.lastUpdated
// it moves to the front, in this order.
func newStamp(registry *search.Registry, content *fhir.Element) (*stamp, error) {
	front(content, "id")
	meta := content.Get("meta")
	if meta == nil {
		meta = content.Add("meta")
	}
	meta.Remove("versionId")
	meta.Remove("lastUpdated")
	keys, err := registry.Keys(content)
	if err != nil {
		return nil, fmt.Errorf("search keys of %s: %w", content.ResourceType(), err)
	}
	meta.Set("versionId", versionMark).Set("lastUpdated", timeMark)
	front(meta, "lastUpdated")
	front(meta, "versionId")
	front(content, "meta")
	front(content, "id")
	st := &stamp{keys: slices.Grow(keys, 1)}
	buf := scratch.Get().(*[]byte) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	*buf = fhirjson.Append((*buf)[:0], content)
	err = st.cut(*buf, content)
	if cap(*buf) <= maxScratch {
		scratch.Put(buf)
	}
	return st, err
}

// scratch holds buffers that resources are encoded in.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 1 << 20

// front moves the first child of that name before all others.
func front(e *fhir.Element, name string) {
	at := slices.IndexFunc(e.Children, func(c *fhir.Element) bool { return c.Name == name })
	if at > 0 {
		child := e.Children[at]
		e.Children = slices.Insert(slices.Delete(e.Children, at, at+1), 0, child)
	}
}

// cut divides the encoded resource around the two marks.
func (st *stamp) cut(json []byte, content *fhir.Element) error {
	head := `{"resourceType":"` + content.ResourceType() + `","id":"` + content.ID() + `","meta":{"versionId":"`
	middle := `","lastUpdated":"`
	rest, ok := bytes.CutPrefix(json, []byte(head+versionMark+middle+timeMark))
	if !ok {
		return Refuse(Unacceptable, fhir.Invalid, "id-extension", fhir.Messagef(
			"the resource's id and meta cannot carry extensions on id, versionId or lastUpdated",
			"リソースの id、meta.versionId、meta.lastUpdated に拡張を付けることはできません"))
	}
	st.head, st.middle, st.tail = head, middle, string(rest)
	return nil
}

// stamp is a store.Write's Stamp.
func (st *stamp) stamp(version uint64, at time.Time) ([]byte, [][]byte, error) {
	updated := at.UTC().Format(timeFormat)
	json := make([]byte, 0, len(st.head)+len(st.middle)+len(st.tail)+len(updated)+20)
	json = append(json, st.head...)
	json = strconv.AppendUint(json, version, 10)
	json = append(json, st.middle...)
	json = append(json, updated...)
	json = append(json, st.tail...)
	return json, st.withTime(at), nil
}

// withTime adds the key of meta.lastUpdated to those of the other content, once.
// The engine waits for it, so that it is made directly.
func (st *stamp) withTime(at time.Time) [][]byte {
	key := search.LastUpdatedKey(at)
	i, found := slices.BinarySearchFunc(st.keys, key, bytes.Compare)
	if found {
		return st.keys
	}
	return slices.Insert(st.keys, i, key)
}
