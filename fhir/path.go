package fhir

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Path is the way from a resource to the element a reader is at. Its first
// step is the resource type.
type Path []Step

// Step is one step of a Path.
type Step struct {
	Name  string
	Index int // place among the repetitions, NoIndex where the element does not repeat
}

// NoIndex is the Index of a step to an element that does not repeat.
const NoIndex = -1

// Expression returns the path in FHIRPath, "Patient.name[0].given[1]", with
// further names at its end.
func (p Path) Expression(further ...string) string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.Name)
		if s.Index != NoIndex {
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		}
	}
	for _, name := range further {
		b.WriteString("." + Clip(name))
	}
	return b.String()
}

// Clip bounds a name from outside to 64 bytes before it goes into a message.
func Clip(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "…"
}

// Expression returns the FHIRPath from e, a resource, to one of the elements
// below it: "Patient.name[0].given[1]". Choices go by their bare name
// ("Observation.value"). It returns "" where target is not below e.
func (e *Element) Expression(target *Element) string {
	path := Path{{Name: e.ResourceType(), Index: NoIndex}}
	if !e.pathTo(target, &path) {
		return ""
	}
	return path.Expression()
}

func (e *Element) pathTo(target *Element, path *Path) bool {
	if e == target {
		return true
	}
	index := 0
	for i, c := range e.Children {
		if i > 0 && e.Children[i-1].Name == c.Name {
			index++
		} else {
			index = 0
		}
		*path = append(*path, c.step(index))
		if c.pathTo(target, path) {
			return true
		}
		*path = (*path)[:len(*path)-1]
	}
	return false
}

func (e *Element) step(index int) Step {
	s := Step{Name: e.Name, Index: NoIndex}
	if e.Def != nil {
		s.Name = e.Def.Name
	}
	if e.List {
		s.Index = index
	}
	return s
}
