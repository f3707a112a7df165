package kaigofhir

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kaigofhir/kaigofhir/"

// floors are the top-level folders with the number of their floor. A package
// imports packages of its own top-level folder or of lower floors only.
var floors = map[string]int{
	"fhir":        0,
	"profiles":    1,
	"mapping":     2,
	"server":      3,
	"conformance": 3,
	"cmd":         4,
}

// forbidden names imports that a part of the house must not have, in its
// non-test code, with the reason.
var forbidden = []struct{ within, imports, reason string }{
	{"fhir/", "net/http", "fhir is a library without a network"},
	{"fhir/", "net", "fhir is a library without a network"},
	{"fhir/", "os", "fhir is a library without files or environment"},
	{"fhir/", "github.com/cockroachdb/pebble/v2", "fhir is a library without a database"},
	{"fhir/", "github.com/gin-gonic/gin", "gin lives in server/api only"},
	{"mapping/", "net/http", "mapping knows no server"},
	{"mapping/", "github.com/gin-gonic/gin", "gin lives in server/api only"},
	{"server/", "github.com/gin-gonic/gin", "gin lives in server/api only"},
	{"cmd/", "github.com/gin-gonic/gin", "gin lives in server/api only"},
	{"server/interaction", "net/http", "interactions know no HTTP; server/api translates"},
}

// allowed are the exceptions to forbidden.
var allowed = map[string]string{
	"server/api": "github.com/gin-gonic/gin",
}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

func TestLayers(t *testing.T) {
	packages := listPackages(t)
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages: the test looks at the wrong place", len(packages))
	}
	for _, p := range packages {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			checkFloor(t, from, imported)
			checkForbidden(t, from, imported)
		}
	}
}

func checkFloor(t *testing.T, from, imported string) {
	t.Helper()
	to, ours := strings.CutPrefix(imported, module)
	if !ours {
		return
	}
	top, target := topFolder(from), topFolder(to)
	low, known := floors[target]
	if !known {
		t.Errorf("%s imports %s, which is on no floor: name it in floors", from, to)
		return
	}
	if top != target && low >= floors[top] {
		t.Errorf("%s (floor %d) imports %s (floor %d): only lower floors may be imported", from, floors[top], to, low)
	}
}

func checkForbidden(t *testing.T, from, imported string) {
	t.Helper()
	for _, f := range forbidden {
		inside := from == f.within || strings.HasPrefix(from+"/", f.within)
		if inside && imported == f.imports && allowed[from] != imported {
			t.Errorf("%s imports %s: %s", from, imported, f.reason)
		}
	}
}

func topFolder(path string) string {
	top, _, _ := strings.Cut(path, "/")
	return top
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if p.ImportPath+"/" != module {
			packages = append(packages, p)
		}
	}
}

// TestFloorsAreNamed makes sure that every top-level folder with Go code has a
// floor.
func TestFloorsAreNamed(t *testing.T) {
	var unknown []string
	for _, p := range listPackages(t) {
		top := topFolder(strings.TrimPrefix(p.ImportPath, module))
		if _, ok := floors[top]; !ok && !slices.Contains(unknown, top) {
			unknown = append(unknown, top)
		}
	}
	if len(unknown) > 0 {
		t.Errorf("folders on no floor: %v", unknown)
	}
}
