package validate

import (
	"bytes"
	"context"
	"slices"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// run is one validation: where it stands in the resource, and what it found.
type run struct {
	v      *Validator
	ctx    context.Context
	source []byte
	// noImplied is Options.NoImplied.
	noImplied bool

	issues  fhir.Issues
	offsets []int32 // in source, one for each issue, -1 where unknown
	path    []step
	frame   *frame
	tries   map[tryKey]bool // conformance already known, or being found out
	nested  int             // how many tries deep
}

// maxIssues bounds what is kept of a resource with endless faults.
const maxIssues = 20000

// step is one element on the way from the root.
type step struct {
	e     *fhir.Element
	index int // among its siblings of that name, fhir.NoIndex where it cannot repeat
}

// maxTries bounds how deep profiles may lead to other resources and profiles.
const maxTries = 24

// tryKey names a question of conformance within a run.
type tryKey struct {
	e       *fhir.Element
	profile string
}

func (r *run) push(e *fhir.Element, index int) {
	if !e.List {
		index = fhir.NoIndex
	}
	r.path = append(r.path, step{e, index})
}

func (r *run) pop() { r.path = r.path[:len(r.path)-1] }

// fail reports an error at the element the run stands on.
func (r *run) fail(code fhir.Code, id string, m fhir.Message) { r.report(fhir.Error, code, id, m) }

// warn reports a warning at the element the run stands on.
func (r *run) warn(code fhir.Code, id string, m fhir.Message) { r.report(fhir.Warning, code, id, m) }

// failAt reports an error at a child of the element the run stands on.
func (r *run) failAt(child *fhir.Element, code fhir.Code, id string, m fhir.Message) {
	if len(r.issues) >= maxIssues {
		return // finding the place is not free
	}
	r.push(child, r.indexOf(child))
	r.fail(code, id, m)
	r.pop()
}

func (r *run) report(sev fhir.Severity, code fhir.Code, id string, m fhir.Message) {
	if len(r.issues) >= maxIssues {
		return
	}
	i := fhir.Issue{Severity: sev, Code: code, ID: id, Message: m}
	if r.nested == 0 {
		i.Expression = r.expression()
	}
	r.issues = append(r.issues, i)
	r.offsets = append(r.offsets, r.offset())
}

// offset is that of the nearest element that came from the source.
func (r *run) offset() int32 {
	for i := len(r.path) - 1; i >= 0; i-- {
		if at := r.path[i].e.Offset; at >= 0 {
			return at
		}
	}
	return -1
}

// expression is the FHIRPath of the element the run stands on. Choices go by
// their bare name ("Observation.value").
func (r *run) expression() string {
	path := make(fhir.Path, len(r.path))
	for i, s := range r.path {
		path[i] = fhir.Step{Name: s.e.Name, Index: s.index}
		switch {
		case i == 0:
			path[i].Name = s.e.ResourceType()
		case s.e.Def != nil:
			path[i].Name = s.e.Def.Name
		}
	}
	return path.Expression()
}

// indexOf is the position of a child among its siblings of the same name.
func (r *run) indexOf(child *fhir.Element) int {
	n := 0
	for _, c := range r.path[len(r.path)-1].e.Children {
		if c == child {
			return n
		}
		if c.Name == child.Name {
			n++
		}
	}
	return n
}

// try runs a check without keeping its issues and tells whether it found no
// error.
func (r *run) try(check func()) bool {
	kept, depth := len(r.issues), len(r.path)
	r.nested++
	check()
	r.nested--
	ok := !r.issues[kept:].HasErrors()
	r.issues, r.offsets = r.issues[:kept], r.offsets[:kept]
	r.path = r.path[:depth]
	return ok
}

// finish takes out issues that were found twice, by base and profile, and
// finds the lines of the others.
func (r *run) finish() fhir.Issues {
	type key struct{ id, expression, en string }
	seen := make(map[key]bool, len(r.issues))
	kept := 0
	for at, i := range r.issues {
		k := key{i.ID, i.Expression, i.Message.En}
		if !seen[k] {
			seen[k] = true
			r.issues[kept], r.offsets[kept] = i, r.offsets[at]
			kept++
		}
	}
	r.issues, r.offsets = r.issues[:kept], r.offsets[:kept]
	r.locate()
	return r.issues
}

// locate fills in lines and columns in one pass over the source.
func (r *run) locate() {
	if len(r.source) == 0 || len(r.issues) == 0 {
		return
	}
	order := make([]int, len(r.issues))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(r.offsets[a]) - int(r.offsets[b]) })
	line, start, at, column := 1, 0, 0, 1
	for _, i := range order {
		offset := int(r.offsets[i])
		if offset < 0 || offset > len(r.source) {
			continue
		}
		between := r.source[at:offset]
		if n := bytes.Count(between, []byte("\n")); n > 0 {
			line += n
			start = at + bytes.LastIndexByte(between, '\n') + 1
			between, column = r.source[start:offset], 1
		}
		column += utf8.RuneCount(between)
		at = offset
		r.issues[i].Line, r.issues[i].Column = line, column
	}
}
