package api

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// compressFrom is the size from which an answer is worth compressing.
const compressFrom = 2048

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) //nolint:errcheck // the level is valid
	return w
}}

var zstds = sync.OnceValue(func() *zstd.Encoder {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)) //nolint:errcheck // the options are valid
	return w
})

// compressible chooses the encoding of an answer of that size.
func compressible(r *http.Request, size int) (string, bool) {
	header := r.Header.Get("Accept-Encoding")
	if size < compressFrom || header == "" {
		return "", false
	}
	found := ""
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if n, err := strconv.ParseFloat(q, 64); err != nil || n == 0 {
				continue
			}
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "zstd":
			return "zstd", true
		case "gzip":
			found = "gzip"
		}
	}
	return found, found != ""
}

func compress(encoding string, data []byte) []byte {
	if encoding == "zstd" {
		return zstds().EncodeAll(data, make([]byte, 0, len(data)/4))
	}
	var buf bytes.Buffer
	w := gzips.Get().(*gzip.Writer) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	w.Reset(&buf)
	_, _ = w.Write(data) //nolint:errcheck // a buffer cannot fail
	_ = w.Close()        //nolint:errcheck // a buffer cannot fail
	gzips.Put(w)
	return buf.Bytes()
}

// plainBody returns the request body, decompressed.
func (x *exchange) plainBody() (io.Reader, error) {
	switch strings.ToLower(x.GetHeader("Content-Encoding")) {
	case "", "identity":
		return x.Request.Body, nil
	case "gzip":
		r, err := gzip.NewReader(x.Request.Body)
		if err != nil {
			return nil, damaged()
		}
		return r, nil
	case "zstd":
		r, err := zstd.NewReader(x.Request.Body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, damaged()
		}
		return r.IOReadCloser(), nil
	}
	return nil, interaction.Refuse(interaction.MediaType, fhir.NotSupported, "content-encoding", fhir.Messagef(
		"the server reads bodies compressed by gzip or zstd", "本文の圧縮形式は gzip または zstd でなければなりません"))
}
