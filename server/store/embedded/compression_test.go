package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"

	"github.com/kaigofhir/kaigofhir/conformance/load"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// content is a resource with its index keys, and pages are what is asked.
type content struct {
	key  store.Key
	json []byte
	keys [][]byte
}

// BenchmarkCompression compares ways to keep resources small (DECISIONS.md,
// 37). In each cycle every way by turns imports everything, compacts, and reads
// pages of 20, with a cache that holds everything and with one of 4 MiB, which
// holds little. It prints a line for each way, with its quickest cycle.
//
//	CGO_ENABLED=0 go test -run '^$' -bench Compression -benchtime 3x ./server/store/embedded
func BenchmarkCompression(b *testing.B) {
	registry, err := search.NewRegistry()
	if err != nil {
		b.Fatal(err)
	}
	published := examples(b, registry)
	for _, data := range []struct {
		name    string
		content []content
		pages   []search.Query
	}{
		{"observations", observations(b, registry), observationPages(b, registry)},
		{"examples", published, examplePages(published)},
	} {
		b.Run(data.name, func(b *testing.B) {
			ways := compressions(b, data.content)
			for b.Loop() {
				for _, w := range ways {
					w.cycle(b, data.content, data.pages)
				}
			}
			for _, w := range ways {
				w.report(b, len(data.content), len(data.pages))
			}
		})
	}
}

func compressions(b *testing.B, all []content) []*compression {
	b.Helper()
	return []*compression{
		{name: "snappy", levels: every(sstable.SnappyCompression), values: plainValues{}},
		{name: "zstd", levels: every(sstable.ZstdCompression), values: plainValues{}},
		{name: "zstd in the last level", levels: last(sstable.ZstdCompression), values: plainValues{}},
		{name: "zstd 1 in the last level", levels: last(sstable.BalancedCompression), values: plainValues{}},
		{name: "snappy, zstd values", levels: every(sstable.SnappyCompression), values: trained(b, all, 0)},
		{name: "snappy, zstd values with dictionaries", levels: every(sstable.SnappyCompression), values: trained(b, all, 32<<10)},
	}
}

func every(p *sstable.CompressionProfile) func(int) *sstable.CompressionProfile {
	return func(int) *sstable.CompressionProfile { return p }
}

func last(p *sstable.CompressionProfile) func(int) *sstable.CompressionProfile {
	return func(level int) *sstable.CompressionProfile {
		if level == 6 {
			return p
		}
		return sstable.SnappyCompression
	}
}

const smallCache = 4 << 20

// compression is one way and the best that its cycles measured.
type compression struct {
	name                                  string
	levels                                func(int) *sstable.CompressionProfile
	values                                codec
	bytes                                 int64
	imported, compacted, cached, uncached time.Duration
}

// best keeps the shorter time.
func best(d *time.Duration, began time.Time) {
	if took := time.Since(began); *d == 0 || took < *d {
		*d = took
	}
}

func (m *compression) cycle(b *testing.B, all []content, pages []search.Query) {
	dir := b.TempDir()
	e := m.open(b, dir, 0)
	began := time.Now()
	for from := 0; from < len(all); from += 100 {
		var tx store.Tx
		for _, c := range all[from:min(from+100, len(all))] {
			tx.Writes = append(tx.Writes, store.Write{Key: c.key, Method: store.Create,
				Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) {
					return m.values.pack(c.key.Type, c.json), c.keys, nil
				}})
		}
		if _, err := e.Apply(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
	best(&m.imported, began)
	if err := e.Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
	best(&m.compacted, began)
	m.read(b, e, pages, &m.cached)
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	m.bytes = tableBytes(b, dir)
	e = m.open(b, dir, smallCache)
	m.read(b, e, pages, &m.uncached)
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
}

func (m *compression) open(b *testing.B, dir string, cache int64) *embedded.Engine {
	b.Helper()
	e, err := embedded.Open(dir, embedded.Options{CacheBytes: cache}.Compressed(m.levels))
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// read reads and unpacks all pages again and again.
func (m *compression) read(b *testing.B, e *embedded.Engine, pages []search.Query, d *time.Duration) {
	b.Helper()
	for range 20 {
		began := time.Now()
		for _, q := range pages {
			p, err := e.Search(b.Context(), q)
			if err != nil || len(p.Versions) == 0 {
				b.Fatalf("a page of %v: %d resources, %v", q.Types, len(p.Versions), err)
			}
			for _, v := range p.Versions {
				if json, err := m.values.unpack(v.Type, v.JSON); err != nil || json[0] != '{' {
					b.Fatalf("%s is not what was written: %v", v.Key, err)
				}
			}
		}
		best(d, began)
	}
}

func (m *compression) report(b *testing.B, resources, pages int) {
	rate := func(d time.Duration) float64 { return float64(resources) / d.Seconds() }
	page := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(pages) }
	b.Logf("%-38s %5d B/resource, %6.0f imported/s (%6.0f with compaction), page of 20: %4.0f µs cached, %4.0f µs with a small cache",
		m.name, m.bytes/int64(resources), rate(m.imported), rate(m.compacted), page(m.cached), page(m.uncached))
}

func tableBytes(b *testing.B, dir string) (n int64) {
	b.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range tables {
		info, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// codec is how the content of a resource is kept.
type codec interface {
	pack(typ string, json []byte) []byte
	unpack(typ string, packed []byte) ([]byte, error)
}

type plainValues struct{}

func (plainValues) pack(_ string, json []byte) []byte              { return json }
func (plainValues) unpack(_ string, packed []byte) ([]byte, error) { return packed, nil }

// zstdValues compresses each value by itself, with a dictionary for its type
// where there is one.
type zstdValues struct {
	encoders map[string]*zstd.Encoder
	decoders map[string]*zstd.Decoder
}

func (z zstdValues) pack(typ string, json []byte) []byte { return z.encoders[typ].EncodeAll(json, nil) }

func (z zstdValues) unpack(typ string, packed []byte) ([]byte, error) {
	return z.decoders[typ].DecodeAll(packed, nil)
}

// trained makes dictionaries of up to size bytes, 0 for none, of every tenth
// resource of each type, where these are enough for one.
func trained(b *testing.B, all []content, size int) zstdValues {
	b.Helper()
	samples, seen := map[string][][]byte{}, map[string]int{}
	for _, c := range all {
		if seen[c.key.Type]++; seen[c.key.Type]%10 == 1 && len(samples[c.key.Type]) < 500 {
			samples[c.key.Type] = append(samples[c.key.Type], c.json)
		}
	}
	z := zstdValues{map[string]*zstd.Encoder{}, map[string]*zstd.Decoder{}}
	for typ, list := range samples {
		encode := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)}
		decode := []zstd.DOption{zstd.WithDecoderConcurrency(1)}
		if size > 0 && len(list) > 2 {
			d, err := dict.BuildZstdDict(list, dict.Options{MaxDictSize: size, HashBytes: 6, ZstdDictID: 1, ZstdDictCompat: true})
			if err == nil {
				encode, decode = append(encode, zstd.WithEncoderDict(d)), append(decode, zstd.WithDecoderDicts(d))
			}
		}
		var err error
		if z.encoders[typ], err = zstd.NewWriter(nil, encode...); err != nil {
			b.Fatal(err)
		}
		if z.decoders[typ], err = zstd.NewReader(nil, decode...); err != nil {
			b.Fatal(err)
		}
	}
	return z
}

// compressionData are observations as the load generator makes them.
var compressionData = load.Data{Seed: 1, Patients: 200, Observations: 100}

func observations(b *testing.B, registry *search.Registry) []content {
	b.Helper()
	var all []content
	for n := range compressionData.Patients {
		all = append(all, prepared(b, registry, []byte(compressionData.Patient(n))))
		for k := range compressionData.Observations {
			all = append(all, prepared(b, registry, []byte(compressionData.Observation(n, k))))
		}
	}
	// The records of a person come over the years, between those of others.
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// observationPages are the newest observations of people at random.
func observationPages(b *testing.B, registry *search.Registry) []search.Query {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var out []search.Query
	for range 50 {
		r, err := registry.Parse("Observation", fmt.Sprintf("subject=Patient/%s&_sort=-date&_count=20", compressionData.PatientID(rng.IntN(compressionData.Patients))))
		if err != nil {
			b.Fatal(err)
		}
		r.Query.Must = search.Must{Unrestricted: true}
		out = append(out, r.Query)
	}
	return out
}

// examples are the examples of R4 up to 64 KiB.
func examples(b *testing.B, registry *search.Registry) []content {
	b.Helper()
	project := os.DirFS("../../..")
	from := fhirtest.All
	if !fhirtest.HasAll(project) {
		b.Log("only the committed examples (see make examples)")
		from = fhirtest.Some
	}
	var all []content
	for x, err := range from(project) {
		if err != nil {
			b.Fatal(err)
		}
		if len(x.JSON) <= 64<<10 {
			all = append(all, prepared(b, registry, x.JSON))
		}
	}
	return all
}

// examplePages are the newest examples of each type.
func examplePages(all []content) (out []search.Query) {
	seen := map[string]bool{}
	for _, c := range all {
		if !seen[c.key.Type] {
			seen[c.key.Type] = true
			out = append(out, search.Query{Types: []string{c.key.Type}, Must: search.Must{Unrestricted: true}, Count: 20})
		}
	}
	return out
}

func prepared(b *testing.B, registry *search.Registry, json []byte) content {
	b.Helper()
	resource, err := fhirjson.Decode(json, fhirjson.Options{})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := registry.Keys(resource)
	if err != nil {
		b.Fatal(err)
	}
	return content{store.Key{Type: resource.ResourceType(), ID: resource.ID()}, fhirjson.Append(nil, resource), keys}
}
