package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// file is one file of the npm package.
type file struct {
	Name string // "StructureDefinition-Patient.json"
	Data []byte
}

// readPackage returns the JSON files of the package, sorted by name, from a
// folder or from the tarball npm delivers.
func readPackage(source string) ([]file, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, err
	}
	read := readTarball
	if info.IsDir() {
		read = readFolder
	}
	files, err := read(source)
	if err != nil {
		return nil, err
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	return files, checkPackage(files)
}

func readFolder(dir string) ([]file, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	files := make([]file, 0, len(names))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{filepath.Base(name), data})
	}
	return files, nil
}

func readTarball(name string) ([]file, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var files []file
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if path.Dir(h.Name) != "package" || !strings.HasSuffix(h.Name, ".json") {
			continue
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path.Base(h.Name), data})
	}
}

const (
	wantPackage = "hl7.fhir.r4.examples"
	wantVersion = "4.0.1"
)

// checkPackage refuses any package but the one the tables are made of.
func checkPackage(files []file) error {
	for _, f := range files {
		if f.Name != "package.json" {
			continue
		}
		var p struct{ Name, Version string }
		if err := json.Unmarshal(f.Data, &p); err != nil {
			return fmt.Errorf("package.json: %w", err)
		}
		if p.Name != wantPackage || p.Version != wantVersion {
			return fmt.Errorf("package is %s@%s, want %s@%s", p.Name, p.Version, wantPackage, wantVersion)
		}
		return nil
	}
	return fmt.Errorf("no package.json")
}

// ofType returns the files that hold a resource of that type, without the
// examples among them.
func ofType(files []file, resourceType string) []file {
	var out []file
	for _, f := range files {
		id, ok := strings.CutPrefix(strings.TrimSuffix(f.Name, ".json"), resourceType+"-")
		if ok && !isExample(id) {
			out = append(out, f)
		}
	}
	return out
}

// isExample tells the package's examples of conformance resources from those
// that belong to the specification.
func isExample(id string) bool {
	rest, ok := strings.CutPrefix(id, "example")
	return ok && (rest == "" || rest[0] == '-' || rest[0] >= '0' && rest[0] <= '9')
}
