package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// outline is a StructureDefinition as the tree it describes: every node has
// an ElementDefinition, the nodes below it and its slices. An outline is not
// changed once it is built; a profile on a profile works on a copy.
// https://hl7.org/fhir/R4/profiling.html
type outline struct {
	name     string        // last segment of the path: "component", "value[x]"
	slice    string        // "" for the element itself, "systolic", "systolic/left"
	def      *fhir.Element // ElementDefinition, nil for a node that only leads to others
	children []*outline
	slices   []*outline
	of       *outline // what a slice is a slice of
}

// segment is one step of an element's id: "component:systolic".
type segment struct{ name, slice string }

// clone copies the tree; the definitions are shared.
func (o *outline) clone() *outline {
	c := *o
	c.children = cloneAll(o.children)
	c.slices = cloneAll(o.slices)
	for _, s := range c.slices {
		s.of = &c
	}
	return &c
}

func cloneAll(in []*outline) []*outline {
	if in == nil {
		return nil
	}
	out := make([]*outline, len(in))
	for i, o := range in {
		out[i] = o.clone()
	}
	return out
}

// child finds a node below by its name.
func (o *outline) child(name string) *outline {
	for _, c := range o.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// choice finds the choice element behind a name with a type: "valueQuantity"
// is value[x] as a Quantity.
func (o *outline) choice(name string) (node *outline, typeName string) {
	for _, c := range o.children {
		stem, ok := strings.CutSuffix(c.name, "[x]")
		if !ok {
			continue
		}
		if rest, ok := strings.CutPrefix(name, stem); ok {
			if t := typeFromSuffix(rest); t != "" {
				return c, t
			}
		}
	}
	return nil, ""
}

// typeFromSuffix returns the data type a suffix of a choice names.
func typeFromSuffix(suffix string) string {
	if suffix == "" {
		return ""
	}
	for _, name := range []string{suffix, strings.ToLower(suffix[:1]) + suffix[1:]} {
		if t, ok := r4.TypeByName(name); ok && t.Kind != r4.Resource && t.Kind != r4.Backbone {
			return name
		}
	}
	return ""
}

// sliced finds a slice of the node, also a re-slice ("systolic/left").
func (o *outline) sliced(name string) *outline {
	for _, s := range o.slices {
		if s.slice == name {
			return s
		}
		if strings.HasPrefix(name, s.slice+"/") {
			if found := s.sliced(name); found != nil {
				return found
			}
		}
	}
	return nil
}

// sliceParent is the node a new slice of that name hangs on: the slice it
// re-slices, or the element.
func (o *outline) sliceParent(name string) *outline {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		if p := o.sliced(name[:i]); p != nil {
			return p
		}
	}
	return o
}

// reader turns a list of ElementDefinitions into steps. Ids say where an
// element belongs; where they are missing or wrong, the order does.
type reader struct {
	current map[string]string // slice an element at that path belongs to now
}

// segments returns the steps to an element, the root's included.
func (b *reader) segments(def *fhir.Element) []segment {
	path := def.Text("path")
	names := strings.Split(path, ".")
	out, ok := fromID(def.Text("id"), names)
	if !ok {
		out = b.fromOrder(names)
	}
	last := &out[len(out)-1]
	if s := def.Text("sliceName"); s != "" {
		last.slice = s
	}
	b.note(path, last.slice)
	return out
}

// fromID splits an id, if it fits the path.
func fromID(id string, names []string) ([]segment, bool) {
	parts := strings.Split(id, ".")
	if len(parts) != len(names) {
		return nil, false
	}
	out := make([]segment, len(parts))
	for i, p := range parts {
		name, slice, _ := strings.Cut(p, ":")
		if name != names[i] && !strings.HasSuffix(name, "[x]") {
			return nil, false
		}
		out[i] = segment{name, slice}
	}
	return out, true
}

func (b *reader) fromOrder(names []string) []segment {
	out := make([]segment, len(names))
	prefix := ""
	for i, n := range names {
		prefix += n
		out[i] = segment{name: n}
		if i < len(names)-1 {
			out[i].slice = b.current[prefix]
		}
		prefix += "."
	}
	return out
}

// note remembers the slice at a path; what was known below it is over.
func (b *reader) note(path, slice string) {
	if b.current == nil {
		b.current = map[string]string{}
	}
	for p := range b.current {
		if strings.HasPrefix(p, path+".") {
			delete(b.current, p)
		}
	}
	b.current[path] = slice
}

// newOutline builds the tree of a full snapshot.
func newOutline(snapshot *fhir.Element) *outline {
	var root *outline
	var b reader
	for def := range snapshot.All("element") {
		segs := b.segments(def)
		if root == nil {
			root = &outline{name: segs[0].name, def: def}
			continue
		}
		root.place(segs[1:], def)
	}
	return root
}

// place puts a definition where its segments lead.
func (o *outline) place(segs []segment, def *fhir.Element) {
	for i, s := range segs {
		if o = o.step(s); i == len(segs)-1 {
			o.def = def
		}
	}
}

// step goes one segment down, making nodes that are missing.
func (o *outline) step(s segment) *outline {
	c := o.child(s.name)
	if c == nil {
		if c, _ = o.choice(s.name); c == nil {
			c = &outline{name: s.name}
			o.children = append(o.children, c)
		} else if s.slice == "" {
			s.slice = s.name // the short spelling of a slice by type
		}
	}
	if s.slice == "" {
		return c
	}
	if found := c.sliced(s.slice); found != nil {
		return found
	}
	at := c.sliceParent(s.slice)
	slice := &outline{name: c.name, slice: s.slice, of: at}
	at.slices = append(at.slices, slice)
	return slice
}
