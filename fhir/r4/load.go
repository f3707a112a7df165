package r4

import (
	"bytes"
	_ "embed" // the tables
	"encoding/gob"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

//go:embed definitions.gob.zst
var definitionsData []byte

// definitions is the embedded table as fhirgen writes it.
type definitions struct {
	Types          []*Type
	ConstraintSets [][]Constraint // the different lists of invariants of elements
	SetOf          []int          // which of them each element has, in order
	Parameters     []*SearchParameter
	Compartments   []struct {
		Compartment, Type string
		Codes             []string
	}
}

// restoreConstraints gives every element its invariants.
func (d *definitions) restoreConstraints() {
	next := 0
	for _, t := range d.Types {
		for _, e := range t.Elements {
			e.Constraints = d.ConstraintSets[d.SetOf[next]]
			next++
		}
	}
}

// tables are the definitions made ready for lookup.
type tables struct {
	types          map[string]*Type
	resources      []string
	parameters     map[string][]*SearchParameter // by resource type
	parameterByURL map[string]*SearchParameter
	compartments   map[[2]string][]string // by compartment and resource type
}

// load decodes the definitions once. They are part of the program, so a
// failure is a broken build.
var load = sync.OnceValue(func() *tables {
	t, err := decodeTables(definitionsData)
	if err != nil {
		panic(fmt.Sprintf("r4: embedded definitions: %v", err))
	}
	return t
})

func decodeTables(data []byte) (*tables, error) {
	var d definitions
	if err := decodeGob(data, &d); err != nil {
		return nil, err
	}
	d.restoreConstraints()
	t := &tables{
		types:          make(map[string]*Type, len(d.Types)),
		parameters:     map[string][]*SearchParameter{},
		parameterByURL: make(map[string]*SearchParameter, len(d.Parameters)),
		compartments:   make(map[[2]string][]string, len(d.Compartments)),
	}
	t.addTypes(d.Types)
	if err := t.addProperties(); err != nil {
		return nil, err
	}
	t.addParameters(d.Parameters)
	for _, c := range d.Compartments {
		t.compartments[[2]string{c.Compartment, c.Type}] = c.Codes
	}
	return t, nil
}

func (t *tables) addTypes(types []*Type) {
	for _, typ := range types {
		t.types[typ.Name] = typ
		if typ.Kind == Resource && !typ.Abstract {
			t.resources = append(t.resources, typ.Name)
		}
	}
	slices.Sort(t.resources)
}

// addProperties works out, for every type, what each JSON property name means.
// https://hl7.org/fhir/R4/formats.html#choice
func (t *tables) addProperties() error {
	for _, typ := range t.types {
		typ.properties = make(map[string]*Property, len(typ.Elements))
		for order, e := range typ.Elements {
			if !e.Choice {
				target, ok := t.types[e.content()]
				if !ok {
					target, ok = t.types[e.Types[0].Code]
				}
				if !ok {
					return fmt.Errorf("%s has no known type", e.Path)
				}
				typ.addProperty(Property{Name: e.Name, Element: e, Type: target, Order: order})
				continue
			}
			for _, ref := range e.Types {
				target, ok := t.types[ref.Code]
				if !ok {
					return fmt.Errorf("%s: unknown type %s", e.Path, ref.Code)
				}
				name := e.Name + strings.ToUpper(ref.Code[:1]) + ref.Code[1:]
				typ.addProperty(Property{Name: name, Element: e, Type: target, Order: order})
			}
		}
	}
	return nil
}

func (t *Type) addProperty(p Property) {
	p.index = len(t.ordered)
	t.ordered = append(t.ordered, &p)
	t.properties[p.Name] = &p
}

// content is the path under which a backbone type for the element would be
// known.
func (e *Element) content() string {
	if e.ContentReference != "" {
		return e.ContentReference
	}
	return e.Path
}

// addParameters files every parameter, which come sorted by code, under each
// resource type it applies to.
func (t *tables) addParameters(params []*SearchParameter) {
	for _, p := range params {
		t.parameterByURL[p.URL] = p
		for name, typ := range t.types {
			if typ.Kind == Resource && t.applies(p, typ) {
				t.parameters[name] = append(t.parameters[name], p)
			}
		}
	}
}

// applies reports whether the type or one it specialises is a base of p.
func (t *tables) applies(p *SearchParameter, typ *Type) bool {
	for typ != nil {
		if slices.Contains(p.Base, typ.Name) {
			return true
		}
		typ = t.types[typ.Base]
	}
	return false
}

func decodeGob(data []byte, v any) error {
	raw, err := decompress(data, 0)
	if err != nil {
		return err
	}
	return gob.NewDecoder(bytes.NewReader(raw)).Decode(v)
}

// decompress returns the content of zstd frames; size is a hint.
func decompress(data []byte, size int) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(data, make([]byte, 0, size))
}
