package mongodb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// record is one document of the collection of versions.
type record struct {
	ID      string        `bson:"_id"` // "Type/id/version"
	Ref     string        `bson:"ref"` // "Type/id"
	Type    string        `bson:"type"`
	Name    string        `bson:"id"`
	Version int64         `bson:"version"`
	Seq     int64         `bson:"seq"`
	End     int64         `bson:"end"` // seq of the version after it, 0 if none
	EndTime bson.DateTime `bson:"endTime,omitempty"`
	Method  int32         `bson:"method"`
	Time    bson.DateTime `bson:"time"`
	// Compartment is what a cluster is sharded by: all records of a person
	// lie together. It never changes.
	Compartment string   `bson:"compartment"`
	Form        string   `bson:"form"`
	Author      string   `bson:"author"`
	Patients    []string `bson:"patients,omitempty"`
	// Live marks the versions that have index keys: those that are current or
	// were until recently, deletions never.
	Live bool     `bson:"live,omitempty"`
	Keys []string `bson:"keys,omitempty"`
	JSON []byte   `bson:"json,omitempty"` // zstd
}

// withoutKeys is the projection of what Version needs.
var withoutKeys = bson.D{{Key: "keys", Value: 0}}

// reference is "Type/id".
func reference(k store.Key) string { return k.Type + "/" + k.ID }

func recordID(k store.Key, version uint64) string {
	return fmt.Sprintf("%s/%d", reference(k), version)
}

// storable reports whether a key can be told from others by its reference.
func storable(k store.Key) bool {
	return k.Type != "" && k.ID != "" && !strings.ContainsAny(k.Type+k.ID, "/\x00")
}

// compartment is the first patient in order, or the resource itself where it
// is about nobody.
func compartment(k store.Key, l search.Labels) string {
	if len(l.Patients) > 0 {
		return slices.Min(l.Patients)
	}
	return reference(k)
}

func (e *Engine) newRecord(v store.Version, keys [][]byte) *record {
	r := &record{
		ID: recordID(v.Key, v.Version), Ref: reference(v.Key), Type: v.Type, Name: v.ID,
		Version: int64(v.Version), Seq: int64(v.Seq), Method: int32(v.Method), Time: bson.NewDateTimeFromTime(v.Time),
		Compartment: compartment(v.Key, v.Labels),
		Form:        v.Labels.Form, Author: v.Labels.Author, Patients: v.Labels.Patients,
	}
	if v.Method != store.Delete {
		r.Live, r.Keys = true, texts(keys)
		r.JSON = e.zip.EncodeAll(v.JSON, nil)
	}
	return r
}

func (r *record) labels() search.Labels {
	return search.Labels{Form: r.Form, Author: r.Author, Patients: r.Patients}
}

func (r *record) key() store.Key { return store.Key{Type: r.Type, ID: r.Name} }

// deleted reports whether the version is a deletion.
func (r *record) deleted() bool { return store.Method(r.Method) == store.Delete }

// Limits of MongoDB: a document takes 16 MiB, an index 100,000 keys of one.
// https://www.mongodb.com/docs/manual/reference/limits/
const (
	maxRecord = 16<<20 - 64<<10 // the rest is for the other fields
	maxKeys   = 100_000
)

// elementOverhead is what an element of an array takes beside its bytes.
const elementOverhead = 13

// fits refuses what MongoDB would.
func (r *record) fits() error {
	size := len(r.JSON)
	for _, list := range [][]string{r.Keys, r.Patients} {
		for _, s := range list {
			size += len(s) + elementOverhead
		}
	}
	if size > maxRecord || max(len(r.Keys), len(r.Patients)) > maxKeys {
		return fmt.Errorf("%w: %d bytes and %d index keys, packed", store.ErrTooLarge, size, len(r.Keys))
	}
	return nil
}

// whileCurrent finds the record as long as nothing supersedes it.
func (r *record) whileCurrent() bson.D {
	return bson.D{{Key: "_id", Value: r.ID}, {Key: "compartment", Value: r.Compartment}, {Key: "end", Value: int64(0)}}
}

// errCorrupt is a document that this engine cannot have written.
var errCorrupt = errors.New("mongodb: a stored version is damaged")

// version unpacks a record.
func (e *Engine) version(r *record) (store.Version, error) {
	v := store.Version{
		Key: r.key(), Version: uint64(r.Version), Seq: uint64(r.Seq), Method: store.Method(r.Method),
		Time: r.Time.Time().UTC(), Labels: r.labels(),
	}
	if r.deleted() {
		return v, nil
	}
	var err error
	if v.JSON, err = e.unzip.DecodeAll(r.JSON, nil); err != nil || len(v.JSON) == 0 {
		return store.Version{}, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return v, nil
}

func (e *Engine) versions(records []record) ([]store.Version, error) {
	if len(records) == 0 {
		return nil, nil
	}
	out := make([]store.Version, len(records))
	for i := range records {
		var err error
		if out[i], err = e.version(&records[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newCodec returns a compressor and its reverse, both safe for concurrent use.
func newCodec() (*zstd.Encoder, *zstd.Decoder, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, nil, err
	}
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0))
	return zip, unzip, err
}

// floorMillis and ceilMillis round a time to the precision of stored ones.
func floorMillis(t time.Time) bson.DateTime { return bson.DateTime(t.UnixMilli()) }

func ceilMillis(t time.Time) bson.DateTime {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return bson.DateTime(ms)
}
