package graphql

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Source gives the executor resources; it decides what the caller may see.
type Source interface {
	// Resolve returns the resource behind a literal reference, nil where
	// there is none for the caller.
	Resolve(ctx context.Context, reference string) (*fhir.Element, error)
	// Search runs a search; names and values are those of the search API.
	Search(ctx context.Context, resourceType string, params []Param) (Page, error)
}

// Param is one search parameter with its value.
type Param struct{ Name, Value string }

// Page is the answer to a search.
type Page struct {
	Resources []*fhir.Element
	Total     int // -1 where unknown
	// Offset and Size of the page; links to other pages, "" where none.
	Offset, Size                int
	First, Previous, Next, Last string
}

// Request is what to execute.
type Request struct {
	Document  *Document
	Operation string // name, needed where the document holds several
	Variables map[string]json.RawMessage
	// Focus is the resource of an instance-level query, nil at system level.
	Focus  *fhir.Element
	Source Source
	// Now is the time for FHIRPath filters.
	Now time.Time
}

const maxFields = 100_000 // fields and fragments to work through for one answer

type executor struct {
	ctx       context.Context
	req       Request
	variables map[string]argValue
	fields    int
}

// scope is where fields go while a selection is executed.
type scope struct {
	out    *Result
	flat   bool   // inside @flatten: fields join those of siblings in lists
	suffix string // of @slice
}

// Execute answers the query. Errors are fhir.Issues; there are no partial
// answers.
func Execute(ctx context.Context, req Request) (*Result, error) {
	op, err := req.Document.operation(req.Operation)
	if err != nil {
		return nil, err
	}
	x := &executor{ctx: ctx, req: req}
	if x.variables, err = bind(op, req.Variables); err != nil {
		return nil, err
	}
	out := newResult()
	return out, x.selection(op.selection, req.Focus, scope{out: out})
}

func (d *Document) operation(name string) (*operation, error) {
	var found *operation
	for _, op := range d.operations {
		if name == "" && len(d.operations) > 1 {
			return nil, refuse("operation-ambiguous", "the document holds several operations: name one", "複数の操作があるため名前の指定が必要です")
		}
		if name == "" || op.name == name {
			found = op
		}
	}
	switch {
	case found == nil:
		return nil, refuse("operation-unknown", "the document has no operation of that name", "指定された名前の操作がありません")
	case found.kind != "query":
		return nil, refuse("operation-kind", "only queries are supported", "query 以外の操作には対応していません")
	}
	return found, nil
}

func refuse(id, en, ja string, args ...any) error {
	return fhir.Issues{{Severity: fhir.Error, Code: fhir.Invalid, ID: "graphql-" + id, Message: fhir.Messagef(en, ja, args...)}}
}

// selection executes the fields of a selection on an element, nil at system
// level.
func (x *executor) selection(set []selection, e *fhir.Element, s scope) error {
	var fields []*field
	if err := x.collect(set, e, &fields); err != nil {
		return err
	}
	for _, f := range fields {
		if err := x.field(f, e, s); err != nil {
			return err
		}
	}
	return nil
}

// collect resolves fragments and directives and merges fields that have the
// same response name. https://spec.graphql.org/June2018/#CollectFields()
func (x *executor) collect(set []selection, e *fhir.Element, fields *[]*field) error {
	for i := range set {
		if x.fields++; x.fields > maxFields {
			return refuse("too-costly", "the query has more than %d fields to answer", "回答するフィールドが %d を超えます", maxFields)
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
		sel := &set[i]
		include, err := x.included(sel.allDirectives())
		if err != nil {
			return err
		}
		switch {
		case !include:
		case sel.field != nil:
			err = merge(fields, sel.field)
		default:
			err = x.spread(sel, e, fields)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// merge adds a field, or its selection to that of the field of the same name.
func merge(fields *[]*field, f *field) error {
	for i, known := range *fields {
		if known.alias != f.alias {
			continue
		}
		if known.name != f.name || !reflect.DeepEqual(known.arguments, f.arguments) || !reflect.DeepEqual(known.directives, f.directives) {
			return refuse("field-conflict", "%q stands for two different fields: use aliases", "%q が異なる二つのフィールドを指しています。別名を使ってください", f.alias)
		}
		both := *known
		both.selection = slices.Concat(known.selection, f.selection)
		(*fields)[i] = &both
		return nil
	}
	*fields = append(*fields, f)
	return nil
}

func (s *selection) allDirectives() []directive {
	if s.field != nil {
		return s.field.directives
	}
	return s.directives
}

func (x *executor) spread(sel *selection, e *fhir.Element, fields *[]*field) error {
	f := sel.inline
	if sel.spread != "" {
		f = x.req.Document.fragments[sel.spread]
		if f == nil {
			return refuse("fragment-unknown", "fragment %q is not defined", "フラグメント %q が定義されていません", sel.spread)
		}
	}
	if f.on != "" && !isA(e, f.on) {
		return nil
	}
	return x.collect(f.selection, e, fields)
}

// isA reports whether an element is of a type or a type derived from it.
func isA(e *fhir.Element, name string) bool {
	if e == nil || e.Type == nil {
		return name == "Query"
	}
	for t, ok := e.Type, true; ok; t, ok = r4.TypeByName(t.Base) {
		if t.Name == name {
			return true
		}
	}
	return false
}

// included evaluates @skip and @include.
func (x *executor) included(all []directive) (bool, error) {
	for _, d := range all {
		if d.name != "skip" && d.name != "include" {
			continue
		}
		text, err := x.argument(d.arguments, "if")
		if err != nil {
			return false, err
		}
		if text != "true" && text != "false" {
			return false, refuse("directive", "@%s needs the argument if with true or false", "@%s には true か false の引数 if が必要です", d.name)
		}
		if (text == "true") == (d.name == "skip") {
			return false, nil
		}
	}
	return true, nil
}

func (x *executor) field(f *field, e *fhir.Element, s scope) error {
	switch {
	case f.name == "__typename":
		name := "Query"
		if e != nil {
			name = e.Type.Name
		}
		return x.put(f, s, false, quoted(name))
	case e == nil:
		return x.rootField(f, s)
	case f.name == "resourceType" && e.ResourceType() != "":
		return x.put(f, s, false, quoted(e.Type.Name))
	case f.name == "resource" && e.Type.Name == "Reference":
		return x.resolve(f, e, s)
	case e.ResourceType() != "" && isSearch(f.name):
		return x.search(f, e, s)
	case strings.HasPrefix(f.name, "_"):
		return x.companion(f, e, s)
	}
	prop, ok := e.Type.Property(f.name)
	if !ok {
		return refuse("field-unknown", "%s has no field %q", "%s にフィールド %q はありません", e.Type.Name, f.name)
	}
	found, err := x.filter(f, slices.Collect(e.All(f.name)))
	if err != nil {
		return err
	}
	return x.emit(f, found, prop.Element.Max != 1, s)
}

// emit writes the elements of a field into the answer.
func (x *executor) emit(f *field, found []*fhir.Element, repeats bool, s scope) error {
	own, slicePath := directivesOf(f)
	if own.first && len(found) > 1 {
		found = found[:1]
	}
	for i, e := range found {
		if e.Type.Kind == r4.Primitive {
			if len(f.selection) > 0 {
				return refuse("selection", "%q is a value and has no fields", "%q は値でありフィールドを持ちません", f.name)
			}
			if e.Kind != fhir.None {
				if err := x.put(f, s, repeats, rawValue(e)); err != nil {
					return err
				}
			}
			continue
		}
		if len(f.selection) == 0 {
			return refuse("selection", "%q needs a selection of fields", "%q には選択するフィールドが必要です", f.name)
		}
		if own.flatten {
			suffix, err := x.sliceName(slicePath, e, i)
			if err != nil {
				return err
			}
			if err := x.selection(f.selection, e, scope{out: s.out, flat: true, suffix: s.suffix + suffix}); err != nil {
				return err
			}
			continue
		}
		child := newResult()
		if err := x.selection(f.selection, e, scope{out: child}); err != nil {
			return err
		}
		if err := x.put(f, s, repeats, child); err != nil {
			return err
		}
	}
	return nil
}

type fieldDirectives struct{ flatten, first, singleton bool }

// directivesOf returns FHIR's own directives of a field and the path of @slice.
// https://hl7.org/fhir/R4/graphql.html#flattening
func directivesOf(f *field) (d fieldDirectives, slice *argValue) {
	for i := range f.directives {
		switch dir := &f.directives[i]; dir.name {
		case "flatten":
			d.flatten = true
		case "first":
			d.first = true
		case "singleton":
			d.singleton = true
		case "slice":
			for j := range dir.arguments {
				if dir.arguments[j].name == "path" {
					slice = &dir.arguments[j].value
				}
			}
		}
	}
	return d, slice
}

func (x *executor) sliceName(path *argValue, e *fhir.Element, index int) (string, error) {
	if path == nil {
		return "", nil
	}
	text, err := x.text(*path)
	if err != nil {
		return "", err
	}
	if text == "$index" {
		return "." + strconv.Itoa(index), nil
	}
	found, err := x.evaluate(text, e)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", refuse("slice", "the path of @slice must give one value", "@slice の path は値を一つ返す必要があります")
	}
	return "." + found[0].String(), nil
}

// put adds one value under the field's name.
func (x *executor) put(f *field, s scope, repeats bool, value any) error {
	own, _ := directivesOf(f)
	asList := (repeats || s.flat) && !own.singleton
	if !s.out.add(f.alias+s.suffix, asList, value) {
		if own.singleton {
			return refuse("singleton", "%q is marked @singleton and has several values", "%q は @singleton ですが値が複数あります", f.name)
		}
		if s.flat {
			return refuse("flatten", "%q has several values where one is due", "%q の値が複数あります", f.name)
		}
	}
	return nil
}

func rawValue(e *fhir.Element) json.RawMessage {
	if e.Kind == fhir.String {
		return quoted(e.Value)
	}
	return json.RawMessage(e.Value)
}

func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string always marshals
	return b
}

// companion answers "_birthDate": id and extensions of a primitive.
func (x *executor) companion(f *field, e *fhir.Element, s scope) error {
	name := strings.TrimPrefix(f.name, "_")
	prop, ok := e.Type.Property(name)
	if !ok || prop.Type.Kind != r4.Primitive {
		return refuse("field-unknown", "%s has no field %q", "%s にフィールド %q はありません", e.Type.Name, f.name)
	}
	for c := range e.All(name) {
		child := newResult()
		if err := x.selection(f.selection, c, scope{out: child}); err != nil {
			return err
		}
		if len(child.names) > 0 {
			if err := x.put(f, s, prop.Element.Max != 1, child); err != nil {
				return err
			}
		}
	}
	return nil
}

// filter applies the arguments of a field: fhirpath, _count, _offset, and any
// child by its value.
func (x *executor) filter(f *field, found []*fhir.Element) ([]*fhir.Element, error) {
	count, offset := -1, 0
	for _, a := range f.arguments {
		text, err := x.text(a.value)
		if err != nil {
			return nil, err
		}
		switch a.name {
		case "_count", "_offset":
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return nil, refuse("argument", "argument %s must be a whole number", "引数 %s は0以上の整数です", a.name)
			}
			if a.name == "_count" {
				count = n
			} else {
				offset = n
			}
		case "fhirpath":
			if found, err = x.where(text, found); err != nil {
				return nil, err
			}
		default:
			found = slices.DeleteFunc(found, func(e *fhir.Element) bool { return !hasChild(e, a.name, text) })
		}
	}
	found = found[min(offset, len(found)):]
	if count >= 0 {
		found = found[:min(count, len(found))]
	}
	return found, nil
}

func hasChild(e *fhir.Element, name, value string) bool {
	for c := range e.All(name) {
		if c.Value == value {
			return true
		}
	}
	return false
}

func (x *executor) where(expression string, found []*fhir.Element) ([]*fhir.Element, error) {
	compiled, err := fhirpath.Compile(expression)
	if err != nil {
		return nil, err
	}
	var kept []*fhir.Element
	for _, e := range found {
		holds, _, err := compiled.EvaluateBool(x.env(), e)
		if err != nil {
			return nil, err
		}
		if holds {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

func (x *executor) evaluate(expression string, e *fhir.Element) (fhirpath.Collection, error) {
	compiled, err := fhirpath.Compile(expression)
	if err != nil {
		return nil, err
	}
	return compiled.Evaluate(x.env(), e)
}

func (x *executor) env() *fhirpath.Env {
	return &fhirpath.Env{Resource: x.req.Focus, RootResource: x.req.Focus, Now: x.req.Now}
}
