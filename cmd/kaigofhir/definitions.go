package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// definitions are resources to know besides those of R4: profiles, value
// sets, questionnaires, targets of references.
type definitions struct {
	resources []*fhir.Element
	byRef     map[string]*fhir.Element // "Patient/example"
	warn      func(file string, err error)
}

// packageLimit bounds what is read from one package, in bytes.
const packageLimit = 1 << 30

// load reads a file with a resource, every resource of a directory, or a FHIR
// package (.tgz). Files of directories and packages that are not resources
// are passed over; those that are broken are left out with a warning.
// https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
func (d *definitions) load(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return filepath.WalkDir(name, d.visit)
	case strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".tar.gz"):
		return d.loadPackage(name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	r, err := decodeLenient(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d.add(r)
	return nil
}

func (d *definitions) visit(name string, entry fs.DirEntry, err error) error {
	if err != nil || entry.IsDir() || !isResourceFile(name) {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	d.take(name, data)
	return nil
}

func (d *definitions) loadPackage(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for t := tar.NewReader(io.LimitReader(unzipped, packageLimit)); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if h.Typeflag != tar.TypeReg || !isResourceFile(h.Name) {
			continue
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		d.take(name+":"+h.Name, data)
	}
}

// isResourceFile leaves out what packages hold besides resources.
func isResourceFile(name string) bool {
	base := path.Base(filepath.ToSlash(name))
	ext := path.Ext(base)
	return (ext == ".json" || ext == ".xml") && base != "package.json" && !strings.HasPrefix(base, ".")
}

func (d *definitions) take(name string, data []byte) {
	r, err := decodeLenient(data)
	if err != nil {
		d.warn(name, err)
		return
	}
	d.add(r)
}

func (d *definitions) add(r *fhir.Element) {
	d.resources = append(d.resources, r)
	if id := r.ID(); id != "" {
		if d.byRef == nil {
			d.byRef = map[string]*fhir.Element{}
		}
		d.byRef[r.ResourceType()+"/"+id] = r
	}
}

// decodeLenient reads a resource and overlooks what published packages do
// have: in JSON empty strings and properties of other versions of FHIR, in XML
// elements out of order.
func decodeLenient(data []byte) (*fhir.Element, error) {
	r, err := decodeResource(data)
	switch {
	case err == nil:
		return r, nil
	case isXML(data):
		return fhirxml.Decode(data, fhirxml.Options{MaxBytes: resourceLimit, AnyOrder: true})
	}
	return fhirjson.Decode(data, fhirjson.Options{MaxBytes: resourceLimit, KeepUnknown: true, KeepEmpty: true})
}
