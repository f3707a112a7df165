package validate

import (
	"bytes"
	"context"
	"sort"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// run is one validation: where it stands in the resource, and what it found.
type run struct {
	v      *Validator
	ctx    context.Context
	source []byte
	lines  []int // offsets of line starts in source, made on demand

	noImplied bool

	issues fhir.Issues
	path   []step
	frame  *frame
	tries  map[tryKey]bool // conformance already known, or being found out
	nested int             // how many tries deep
}

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
	r.push(child, r.indexOf(child))
	r.fail(code, id, m)
	r.pop()
}

func (r *run) report(sev fhir.Severity, code fhir.Code, id string, m fhir.Message) {
	i := fhir.Issue{Severity: sev, Code: code, ID: id, Message: m}
	if r.nested == 0 {
		i.Expression = r.expression()
		i.Line, i.Column = r.position()
	}
	r.issues = append(r.issues, i)
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

// position is the line and column of the nearest element that came from the
// source.
func (r *run) position() (line, column int) {
	if r.source == nil {
		return 0, 0
	}
	for i := len(r.path) - 1; i >= 0; i-- {
		if at := int(r.path[i].e.Offset); at >= 0 && at <= len(r.source) {
			return r.lineOf(at)
		}
	}
	return 0, 0
}

func (r *run) lineOf(at int) (line, column int) {
	if r.lines == nil {
		r.lines = []int{0}
		for i := 0; ; {
			n := bytes.IndexByte(r.source[i:], '\n')
			if n < 0 {
				break
			}
			i += n + 1
			r.lines = append(r.lines, i)
		}
	}
	line = sort.SearchInts(r.lines, at+1)
	return line, 1 + utf8.RuneCount(r.source[r.lines[line-1]:at])
}

// try runs a check without keeping its issues and tells whether it found no
// error.
func (r *run) try(check func()) bool {
	kept, depth := len(r.issues), len(r.path)
	r.nested++
	check()
	r.nested--
	ok := !r.issues[kept:].HasErrors()
	r.issues = r.issues[:kept]
	r.path = r.path[:depth]
	return ok
}

// finish takes out issues that were found twice, by base and profile.
func (r *run) finish() fhir.Issues {
	type key struct{ id, expression, en string }
	seen := make(map[key]bool, len(r.issues))
	out := r.issues[:0]
	for _, i := range r.issues {
		k := key{i.ID, i.Expression, i.Message.En}
		if !seen[k] {
			seen[k] = true
			out = append(out, i)
		}
	}
	return out
}
