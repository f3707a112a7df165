// Package fhirtest gives tests the examples of FHIR R4 and a comparison that
// tells whether two JSON texts hold the same resource. Only tests import it.
package fhirtest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Where the examples are, from the root of the project.
const (
	fullExamples = ".cache/fhir-r4-examples/package"
	someExamples = "testdata/fhir-r4/examples.tar.zst"
)

// Example is an example resource in JSON.
type Example struct {
	Name string // "Patient-example.json"
	JSON []byte
}

// HasAll reports whether all examples are there (make examples), not only the
// committed ones. Project is the root of the project.
func HasAll(project fs.FS) bool {
	_, err := fs.Stat(project, fullExamples+"/package.json")
	return err == nil
}

// All yields all examples of the npm package. It fails where HasAll is false.
func All(project fs.FS) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		names, err := fs.Glob(project, fullExamples+"/*-*.json")
		if err != nil || len(names) == 0 {
			yield(Example{}, fmt.Errorf("no examples in %s: %w", fullExamples, errors.Join(err, fs.ErrNotExist)))
			return
		}
		for _, name := range names {
			if strings.HasPrefix(path.Base(name), "ig-") { // not a resource
				continue
			}
			data, err := fs.ReadFile(project, name)
			if !yield(Example{path.Base(name), data}, err) || err != nil {
				return
			}
		}
	}
}

// Some yields the committed examples: small ones of every resource type of
// which HL7 published one.
func Some(project fs.FS) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		packed, err := fs.ReadFile(project, someExamples)
		if err != nil {
			yield(Example{}, err)
			return
		}
		z, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1))
		if err != nil {
			yield(Example{}, err)
			return
		}
		defer z.Close()
		for t := tar.NewReader(z); ; {
			h, err := t.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			var data []byte
			if err == nil {
				data, err = io.ReadAll(t)
			}
			if err != nil {
				yield(Example{}, fmt.Errorf("%s: %w", someExamples, err))
				return
			}
			if !yield(Example{h.Name, data}, nil) {
				return
			}
		}
	}
}

// Difference returns "" where two JSON texts hold the same: the same members
// with the same values, numbers digit for digit. Otherwise it returns the path
// of a place where they differ.
func Difference(a, b []byte) (string, error) {
	va, err := read(a)
	if err != nil {
		return "", err
	}
	vb, err := read(b)
	if err != nil {
		return "", err
	}
	return difference("$", va, vb), nil
}

func read(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return v, d.Decode(&v)
}

func difference(at string, a, b any) string {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return at
		}
		return differentMember(at, a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return at
		}
		for i := range a {
			if d := difference(fmt.Sprintf("%s[%d]", at, i), a[i], b[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if a != b {
		return at
	}
	return ""
}

func differentMember(at string, a, b map[string]any) string {
	for name := range b {
		if _, ok := a[name]; !ok {
			return at + "." + name
		}
	}
	for name, va := range a {
		vb, ok := b[name]
		if !ok {
			return at + "." + name
		}
		if d := difference(at+"."+name, va, vb); d != "" {
			return d
		}
	}
	return ""
}
