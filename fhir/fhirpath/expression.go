package fhirpath

import (
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Expression is a compiled expression. It does not change and may be
// evaluated by many goroutines at once.
type Expression struct {
	source string
	root   node
}

// Options change how an expression is understood.
type Options struct {
	// FilterAs lets as and as() take collections and keep the items of the
	// type, as ofType() does. The search parameters of R4 rely on it, and so
	// does its invariant dom-3.
	FilterAs bool
}

// Env is what an evaluation may reach besides its focus. A nil Env and nil
// fields are fine: what needs a missing one is an error, or, for Resource and
// RootResource, falls back to the focus. An Env is only read.
type Env struct {
	Resource     *fhir.Element // %resource: the resource that holds the focus
	RootResource *fhir.Element // %rootResource: Resource, or the container of a contained Resource
	// Variables are %name and %`name`.
	Variables map[string]Collection
	// Resolve finds the target of a reference that is neither contained in
	// RootResource nor, where that is a Bundle, in one of its entries. Where
	// only the type of the target is asked for, as in search parameters, an
	// element that has nothing but its Type will do.
	Resolve func(reference string) (*fhir.Element, bool)
	// MemberOf answers memberOf(): v is a code, Coding or CodeableConcept
	// Node, or a String.
	MemberOf func(v Value, valueSet string) (bool, error)
	// Subsumes answers subsumes() and subsumedBy(): whether a subsumes b; both
	// are Coding or CodeableConcept Nodes.
	Subsumes func(a, b *fhir.Element) (bool, error)
	// ConformsTo answers conformsTo(). An unknown profile is an error.
	ConformsTo func(e *fhir.Element, profile string) (bool, error)
	// Now is the time of now(), today() and timeOfDay().
	Now time.Time
	// Trace receives what passes trace(), to be used during the call only. The
	// values may be personal data.
	Trace func(name string, c Collection)
}

// Compile reads an expression. The error is a fhir.Issues with line and
// column, both from 1.
func Compile(expression string) (*Expression, error) {
	return CompileWith(expression, Options{})
}

// MustCompile is Compile for expressions that are constants of the program.
func MustCompile(expression string) *Expression {
	x, err := Compile(expression)
	if err != nil {
		panic("fhirpath: " + expression + ": " + err.Error())
	}
	return x
}

// CompileWith is Compile with options.
func CompileWith(expression string, opts Options) (*Expression, error) {
	root, err := parse(expression, opts)
	if err != nil {
		return nil, err
	}
	return &Expression{source: expression, root: root}, nil
}

// String returns the source of the expression.
func (x *Expression) String() string { return x.source }

// Evaluate evaluates the expression with the element as focus and %context.
// An error is a fhir.Issues where a rule of the language was broken, a hook of
// env is missing or the evaluation was too costly; the error of a hook is
// wrapped.
func (x *Expression) Evaluate(env *Env, focus *fhir.Element) (Collection, error) {
	return x.Append(nil, env, Node{focus})
}

// Append evaluates the expression on any value and appends the result to dst,
// so that callers in a hurry can use one slice again.
func (x *Expression) Append(dst Collection, env *Env, focus Value) (Collection, error) {
	ev := begin(env, focus)
	defer ev.end()
	return x.root.eval(ev, dst)
}

// EvaluateBool evaluates the expression as a condition, by the rules of
// singleton evaluation; known is false where the result is empty.
// https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
func (x *Expression) EvaluateBool(env *Env, focus *fhir.Element) (value, known bool, err error) {
	ev := begin(env, Node{focus})
	defer ev.end()
	t, err := truthOf(ev, x.root)
	return t == yes, t != unsure, err
}

// Bool returns the collection as a condition, by the rules of singleton
// evaluation; known is false where it is empty.
func (c Collection) Bool() (value, known bool, err error) {
	t, err := truthOfCollection(c)
	return t == yes, t != unsure, err
}
