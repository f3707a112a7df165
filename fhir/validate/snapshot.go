package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// maxDerivation bounds a chain of profiles on profiles.
const maxDerivation = 32

// Snapshot returns a copy of a StructureDefinition with the snapshot its
// differential and base make. The error is a fhir.Issues: the base is not
// known, or profiles derive from each other in a circle.
// https://hl7.org/fhir/R4/profiling.html#snapshot
func (v *Validator) Snapshot(sd *fhir.Element) (*fhir.Element, error) {
	root, err := v.catalog.derive(sd, nil)
	if err != nil {
		return nil, err
	}
	out := sd.Clone()
	out.Remove("snapshot")
	snapshot := out.Add("snapshot")
	snapshot.Children = root.flatten(nil, "", "")
	return out, nil
}

// outlineOf returns the outline of a canonical; within are the canonicals
// being worked on, to notice circles.
func (c *catalog) outlineOf(canonical string, within []string) (*outline, error) {
	if o, ok := c.lines.get(canonical); ok {
		return o, nil
	}
	sd, ok := c.structure(canonical)
	if !ok {
		return nil, unusable("profile-unknown", "StructureDefinition %s is not known", "StructureDefinition %s が見つかりません", canonical)
	}
	if slices.Contains(within, canonical) || len(within) > maxDerivation {
		return nil, unusable("profile-circular", "StructureDefinition %s derives from itself", "StructureDefinition %s が自身を継承しています", canonical)
	}
	o, err := c.outline(sd, append(within, canonical))
	if err == nil {
		c.lines.put(canonical, o)
	}
	return o, err
}

func unusable(id, en, ja, canonical string) error {
	return fhir.Issues{{Severity: fhir.Error, Code: fhir.NotFound, ID: id, Message: fhir.Messagef(en, ja, canonical)}}
}

// outline takes the snapshot a definition brings, or makes one.
func (c *catalog) outline(sd *fhir.Element, within []string) (*outline, error) {
	if s := sd.Get("snapshot"); s.Get("element") != nil {
		return newOutline(s), nil
	}
	return c.derive(sd, within)
}

// derive merges the differential of a definition into a copy of its base.
func (c *catalog) derive(sd *fhir.Element, within []string) (*outline, error) {
	base := sd.Text("baseDefinition")
	if base == "" {
		return newOutline(sd.Get("differential")), nil
	}
	from, err := c.outlineOf(base, within)
	if err != nil {
		return nil, fmt.Errorf("base of %s: %w", sd.Text("url"), err)
	}
	m := &merger{catalog: c, root: from.clone(), within: within}
	var b reader
	for def := range sd.Get("differential").All("element") {
		m.merge(b.segments(def), def)
	}
	m.own(sd)
	return m.root, nil
}

// merger applies a differential to a copy of a base.
type merger struct {
	catalog *catalog
	root    *outline
	within  []string
}

// own renames the root where a definition makes a new type.
func (m *merger) own(sd *fhir.Element) {
	if sd.Text("derivation") == "specialization" {
		m.root.name = sd.Text("type")
	}
}

// merge applies one element of a differential.
func (m *merger) merge(segs []segment, def *fhir.Element) {
	o := m.root
	for _, s := range segs[1:] {
		o = m.step(o, s)
	}
	o.def = mergeDefinition(o.def, def)
}

// step goes one segment down, unfolding the type of a node that has nothing
// below it yet, and making slices that are new.
func (m *merger) step(o *outline, s segment) *outline {
	c := o.child(s.name)
	if c == nil {
		m.unfold(o)
		c = o.child(s.name)
	}
	typeName, short := "", false
	if c == nil {
		if c, typeName = o.choice(s.name); c == nil {
			c = &outline{name: s.name}
			o.children = append(o.children, c)
		} else if s.slice == "" {
			s.slice, short = s.name, true
		}
	} else if rest, ok := strings.CutPrefix(s.slice, strings.TrimSuffix(s.name, "[x]")); ok && strings.HasSuffix(s.name, "[x]") {
		typeName = typeFromSuffix(rest)
	}
	if s.slice == "" {
		return c
	}
	if found := c.sliced(s.slice); found != nil {
		return found
	}
	return c.newSlice(s.slice, typeName, short)
}

// newSlice makes a slice that starts from the definition of the element, not
// required, and of one type where it is a slice by type. The short spelling
// ("valueQuantity") leaves the element with the types so named.
func (o *outline) newSlice(name, typeName string, short bool) *outline {
	at := o.sliceParent(name)
	slice := &outline{name: o.name, slice: name, of: at}
	at.slices = append(at.slices, slice)
	if o.def == nil {
		return slice
	}
	slice.def = copyWithout(o.def, "id", "slicing", "min", "sliceName")
	slice.def.Set("sliceName", name).Set("min", "0")
	if typeName == "" {
		return slice
	}
	onlyType(slice.def, typeName)
	if o.def.Get("slicing") == nil {
		o.def = copyWithout(o.def)
		byType(o.def.Add("slicing"), short)
		if short {
			onlyType(o.def, typeName)
		}
	} else if short && o.def.Text("slicing", "rules") == "closed" {
		o.def = copyWithout(o.def)
		o.def.Add("type").Set("code", typeName)
	}
	return slice
}

// onlyType leaves a definition with one of its types.
func onlyType(def *fhir.Element, name string) {
	kept := slices.DeleteFunc(slices.Clone(def.Children), func(e *fhir.Element) bool {
		return e.Name == "type" && e.Text("code") != name
	})
	def.Children = kept
	if def.Get("type") == nil {
		def.Add("type").Set("code", name)
	}
}

// byType writes the slicing that slices by type imply; closed after the short
// spelling.
func byType(slicing *fhir.Element, closed bool) {
	slicing.Add("discriminator").Set("type", "type").Set("path", "$this")
	slicing.Set("ordered", "false").Set("rules", "open")
	if closed {
		slicing.Set("rules", "closed")
	}
}

// unfold gives a node the elements of its type, those of the profile on its
// type, those of the element it is a slice of, or those of the element whose
// content it repeats.
func (m *merger) unfold(o *outline) {
	if len(o.children) > 0 || o.def == nil {
		return
	}
	if o.of != nil && len(o.of.children) > 0 && o.def.Get("type", "profile") == nil {
		o.children = cloneAll(o.of.children)
		return
	}
	if ref := o.def.Text("contentReference"); ref != "" {
		if from := m.find(strings.TrimPrefix(ref[strings.LastIndexByte(ref, '#')+1:], "#")); from != nil && from != o {
			o.children = cloneAll(from.children)
		}
		return
	}
	url := typeProfile(o.def)
	if url == "" || slices.Contains(m.within, url) {
		return
	}
	if from, err := m.catalog.outlineOf(url, m.within); err == nil {
		o.children = cloneAll(from.children)
	}
}

// typeProfile is the one StructureDefinition that says what lies below an
// element, "" where there is not just one.
func typeProfile(def *fhir.Element) string {
	var only *fhir.Element
	for t := range def.All("type") {
		if only != nil {
			return ""
		}
		only = t
	}
	if p := only.Text("profile"); p != "" && !strings.Contains(p, "#") {
		return p
	}
	if code := only.Text("code"); code != "" && !strings.Contains(code, ":") {
		return coreURL + code
	}
	return ""
}

// find follows an element id from the root.
func (m *merger) find(id string) *outline {
	o := m.root
	for i, name := range strings.Split(id, ".") {
		if i == 0 {
			continue
		}
		if o = o.child(name); o == nil {
			return nil
		}
	}
	return o
}

// additive are the parts of an ElementDefinition a differential adds to.
var additive = map[string]bool{"constraint": true, "condition": true, "mapping": true, "alias": true, "example": true, "extension": true}

// mergeDefinition overlays what a differential says on the definition so far.
func mergeDefinition(base, diff *fhir.Element) *fhir.Element {
	if base == nil {
		return copyWithout(diff)
	}
	replaced := map[string]bool{}
	for _, c := range diff.Children {
		replaced[stemOf(c)] = !additive[c.Name]
	}
	out := *base
	out.Children = make([]*fhir.Element, 0, len(base.Children)+len(diff.Children))
	for _, c := range base.Children {
		if !replaced[stemOf(c)] || c.Name == "path" || c.Name == "base" {
			out.Children = append(out.Children, c)
		}
	}
	for _, c := range diff.Children {
		switch {
		case c.Name == "path" || c.Name == "base" || c.Name == "id":
		case c.Name == "constraint" && hasKey(&out, c):
		case c.Name == "slicing":
			out.Children = append(out.Children, keepDiscriminators(base.Get("slicing"), c))
		default:
			out.Children = append(out.Children, c)
		}
	}
	sortByDefinition(&out)
	return &out
}

// stemOf lets fixedUri and fixedCode take each other's place.
func stemOf(c *fhir.Element) string {
	if c.Def != nil {
		return c.Def.Name
	}
	return c.Name
}

func hasKey(def, constraint *fhir.Element) bool {
	for c := range def.All("constraint") {
		if c.Text("key") == constraint.Text("key") {
			return true
		}
	}
	return false
}

func keepDiscriminators(base, diff *fhir.Element) *fhir.Element {
	if base == nil || diff.Get("discriminator") != nil {
		return diff
	}
	out := copyWithout(diff)
	for d := range base.All("discriminator") {
		out.Children = append(out.Children, d)
	}
	return out
}

// sortByDefinition puts children into the order of their type.
func sortByDefinition(e *fhir.Element) {
	order := func(c *fhir.Element) int {
		if p, ok := e.Type.Property(c.Name); ok {
			return p.Order
		}
		return len(e.Type.Elements)
	}
	if e.Type != nil {
		slices.SortStableFunc(e.Children, func(a, b *fhir.Element) int { return order(a) - order(b) })
	}
}

// copyWithout copies an element with its list of children, some left out.
func copyWithout(e *fhir.Element, names ...string) *fhir.Element {
	out := *e
	out.Children = slices.DeleteFunc(slices.Clone(e.Children), func(c *fhir.Element) bool { return slices.Contains(names, c.Name) })
	return &out
}

// flatten lists the definitions of a tree, parents first, each element before
// its slices, with the paths and ids the tree gives them.
func (o *outline) flatten(out []*fhir.Element, path, id string) []*fhir.Element {
	if path == "" {
		path, id = o.name, o.name
	} else {
		path, id = path+"."+o.name, id+"."+o.name
	}
	return o.list(out, path, id)
}

func (o *outline) list(out []*fhir.Element, path, id string) []*fhir.Element {
	if o.def != nil {
		def := copyWithout(o.def, "id", "path")
		def.Name, def.List = "element", true
		def.Set("id", id).Set("path", path)
		out = append(out, def)
	}
	for _, c := range o.children {
		out = c.flatten(out, path, id)
	}
	for _, s := range o.slices {
		base := strings.TrimSuffix(id, ":"+o.slice)
		out = s.list(out, path, base+":"+s.slice)
	}
	return out
}
