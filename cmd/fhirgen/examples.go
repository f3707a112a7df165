package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const (
	exampleSize  = 160 << 10 // larger files are left out
	definitionNo = 40        // files kept of each type whose files are mostly the specification itself
)

// writeExamples writes the subset of the package's files that the tests always
// use: every resource type, without the bulk of the definitions.
func writeExamples(dir string, files []file) error {
	chosen := chooseExamples(files)
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, f := range chosen {
		if err := t.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data)), Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		if _, err := t.Write(f.Data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "examples.tar.zst"), b.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "SOURCES.md"), examplesMD(len(chosen), packageSum(files), b.Bytes()), 0o644)
}

// chooseExamples takes the smaller files of every type, the definitions spread
// over the alphabet. A type whose files are all large gives its smallest.
func chooseExamples(files []file) []file {
	byType := map[string][]file{}
	for _, f := range files {
		if typ, _, ok := strings.Cut(f.Name, "-"); ok && typ != "ig" {
			byType[typ] = append(byType[typ], f)
		}
	}
	var out []file
	for typ, all := range byType {
		small := slices.DeleteFunc(slices.Clone(all), func(f file) bool { return len(f.Data) > exampleSize })
		if len(small) == 0 {
			small = []file{slices.MinFunc(all, func(a, b file) int { return len(a.Data) - len(b.Data) })}
		}
		if slices.Contains(conformanceTypes, typ) && len(small) > definitionNo {
			step := len(small) / definitionNo
			for i := range definitionNo {
				small[i] = small[i*step]
			}
			small = small[:definitionNo]
		}
		out = append(out, small...)
	}
	slices.SortFunc(out, func(a, b file) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func examplesMD(n int, source string, data []byte) []byte {
	return fmt.Appendf(nil, `# FHIR R4 examples

<!-- written by cmd/fhirgen -->

| | |
|---|---|
| file | examples.tar.zst: %d resources in JSON, unchanged, every resource type that has an example |
| sha256 | %s |
| package | npm %s, version %s |
| licence | CC0-1.0 (package.json of the package; https://hl7.org/fhir/R4/license.html) |
| sha256 over all JSON files of the package | %s |

The people in them are invented. Files over %d KiB and most definitions are
left out. Where all examples are present (%smake examples%s fetches them into
.cache/fhir-r4-examples) the tests use those instead.

To make the file again, from the root of the project:

    make examples
    go run ./cmd/fhirgen -source .cache/fhir-r4-examples/package -examples testdata/fhir-r4
`, n, sum(data), wantPackage, wantVersion, source, exampleSize>>10, "`", "`")
}
