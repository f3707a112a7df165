package main

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// conformanceTypes are the resource types r4.Conformance serves.
var conformanceTypes = []string{
	"StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter",
	"OperationDefinition", "CompartmentDefinition", "NamingSystem",
}

// blockSize is the size at which a block of resources is closed, before
// compression. Reading one resource costs the decompression of its block.
const blockSize = 128 << 10

// index is the table of contents of the blocks; package r4 decodes it.
type index struct {
	Entries []entry
	Blocks  []block
}

type entry struct {
	Type, URL         string
	ID                string // "" where it is what the URL ends in
	Block, Start, End int    // End and Start within the decompressed block
}

type block struct{ Start, End, Size int } // of the compressed form; Size decompressed

// packConformance returns the encoded index and the compressed blocks.
func packConformance(files []file) (indexData, blocks []byte, err error) {
	encoder, err := newEncoder()
	if err != nil {
		return nil, nil, err
	}
	var (
		idx index
		raw []byte
	)
	closeBlock := func() {
		start := len(blocks)
		blocks = encoder.EncodeAll(raw, blocks)
		idx.Blocks = append(idx.Blocks, block{start, len(blocks), len(raw)})
		raw = raw[:0]
	}
	for _, resourceType := range conformanceTypes {
		for _, f := range ofType(files, resourceType) {
			url, id, data, err := withoutNarrative(f.Data)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			start := len(raw)
			raw = append(raw, data...)
			if url[strings.LastIndexByte(url, '/')+1:] == id {
				id = ""
			}
			idx.Entries = append(idx.Entries, entry{resourceType, url, id, len(idx.Blocks), start, len(raw)})
			if len(raw) >= blockSize {
				closeBlock()
			}
		}
	}
	closeBlock()
	slices.SortFunc(idx.Entries, func(a, b entry) int { return cmp.Compare(a.URL, b.URL) })
	indexData, err = encodeTable(idx)
	return indexData, blocks, err
}

// withoutNarrative returns a resource compact, in its order of members, with
// its canonical URL and its id, and without its narrative.
func withoutNarrative(data []byte) (url, id string, out []byte, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return "", "", nil, err
	}
	b := bytes.NewBufferString("{")
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", "", nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return "", "", nil, err
		}
		if name == "text" {
			continue
		}
		if to := map[json.Token]*string{"url": &url, "id": &id}[name]; to != nil {
			if err := json.Unmarshal(value, to); err != nil {
				return "", "", nil, err
			}
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "%q:", name)
		if err := json.Compact(b, value); err != nil {
			return "", "", nil, err
		}
	}
	b.WriteByte('}')
	if url == "" || id == "" {
		return "", "", nil, fmt.Errorf("no url or id")
	}
	return url, id, b.Bytes(), nil
}

// encodeTable returns a value as gob, compressed.
func encodeTable(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return nil, err
	}
	encoder, err := newEncoder()
	if err != nil {
		return nil, err
	}
	return encoder.EncodeAll(b.Bytes(), nil), nil
}

func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20), zstd.WithEncoderCRC(false))
}
