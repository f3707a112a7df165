package fhirpath

import (
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Check looks, without evaluating, for what can never be right when the focus
// has that type: elements the type does not have, choices reached by the name
// of one type, strings wanted where none can be, orders asked of what has
// none. The error is a fhir.Issues with what was found first.
// https://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation
func (x *Expression) Check(focus *r4.Type) error {
	c := checker{this: shape{kinds: []kind{{fhir: focus}}}}
	_, err := c.check(x.root)
	return err
}

// kind is one type a value may have: of FHIR or of System.
type kind struct {
	fhir   *r4.Type
	system string
}

// shape is what is known of a collection: the types its items may have. The
// zero shape may hold anything.
type shape struct {
	kinds     []kind
	unordered bool
}

func system(name string) shape { return shape{kinds: []kind{{system: name}}} }

// known reports whether the types are known, and none of them so general that
// anything may hide behind it.
func (s shape) known() bool {
	for _, k := range s.kinds {
		if k.fhir != nil && k.fhir.Abstract {
			return false
		}
	}
	return len(s.kinds) > 0
}

// may reports whether an item may convert to a System type.
func (s shape) may(system string) bool {
	if !s.known() {
		return true
	}
	for _, k := range s.kinds {
		if k.convertsTo(system) {
			return true
		}
	}
	return false
}

func (k kind) convertsTo(system string) bool {
	switch {
	case k.fhir == nil:
		return k.system == system
	case system == "Quantity":
		return isQuantity(k.fhir)
	}
	return systemName(k.fhir) == system
}

// checker walks an expression with the shape of $this.
type checker struct{ this shape }

// in checks a lambda with the items as $this.
func (c checker) in(items shape, n node) (shape, error) { return checker{items}.check(n) }

func (c checker) check(n node) (shape, error) {
	switch n := n.(type) {
	case literal:
		return system(typeInfo(n.v).Name), nil
	case indexVariable:
		return system("Integer"), nil
	case this:
		return c.this, nil
	case constant, empty, totalVariable:
		return shape{}, nil
	case *path:
		return c.path(n)
	case *typeFilter:
		return c.filtered(n)
	case *indexer:
		return c.indexed(n)
	case *union:
		return c.either(n.left, n.right)
	case *arithmetic:
		return c.arithmetic(n)
	case *polarity:
		return c.check(n.of)
	case *concatenation:
		return system("String"), c.all(n.left, n.right)
	case *call:
		return c.call(n)
	}
	return system("Boolean"), c.condition(n)
}

// condition checks the nodes that give a Boolean.
func (c checker) condition(n node) error {
	switch n := n.(type) {
	case *testCall:
		_, err := c.call(&n.call)
		return err
	case *typeTest:
		return c.all(n.of)
	case *logic:
		return c.all(n.left, n.right)
	case *equality:
		return c.all(n.left, n.right)
	case *equivalence:
		return c.all(n.left, n.right)
	case *comparison:
		return c.all(n.left, n.right)
	case *membership:
		return c.all(n.item, n.items)
	case *existence:
		return c.all(n.items)
	case *negation:
		return c.all(n.of)
	}
	return nil
}

// all checks nodes whose shapes do not matter.
func (c checker) all(nodes ...node) error {
	for _, n := range nodes {
		if _, err := c.check(n); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) either(left, right node) (shape, error) {
	a, err := c.check(left)
	if err != nil {
		return shape{}, err
	}
	b, err := c.check(right)
	if len(a.kinds) == 0 || len(b.kinds) == 0 {
		return shape{}, err
	}
	return shape{kinds: append(append([]kind{}, a.kinds...), b.kinds...)}, err
}

func (c checker) filtered(n *typeFilter) (shape, error) {
	s, err := c.check(n.of)
	return n.spec.narrow(s), err
}

// narrow returns the shape of the items that have the type.
func (t *typeSpecifier) narrow(s shape) shape {
	if t.fhir != nil {
		return shape{kinds: []kind{{fhir: t.fhir}}, unordered: s.unordered}
	}
	return shape{kinds: []kind{{system: t.name}}, unordered: s.unordered}
}

func (c checker) indexed(n *indexer) (shape, error) {
	s, err := c.check(n.items)
	if err == nil {
		err = s.ordered("[]")
	}
	if err == nil {
		err = c.all(n.at)
	}
	return s, err
}

func (s shape) ordered(what string) error {
	if s.unordered {
		return fault("%s depends on the order of items that have none", "%s は順序のない値の順序に頼っています", what)
	}
	return nil
}

func (c checker) arithmetic(n *arithmetic) (shape, error) {
	left, err := c.check(n.left)
	if err != nil {
		return shape{}, err
	}
	right, err := c.check(n.right)
	if err != nil {
		return shape{}, err
	}
	temporal := left.known() && !left.may("Integer") && !left.may("Decimal") && !left.may("String") && !left.may("Quantity")
	if temporal && (n.op == "+" || n.op == "-") && !right.may("Quantity") {
		return shape{}, fault("a date or time can only be moved by a quantity", "日付・時刻には数量しか足せません")
	}
	return shape{}, nil
}

// path follows the names through the definitions.
func (c checker) path(n *path) (shape, error) {
	s := c.this
	if n.root != nil {
		var err error
		if s, err = c.check(n.root); err != nil {
			return shape{}, err
		}
	}
	if n.head != nil {
		if s.known() && !n.head.possible(s) {
			return shape{}, fault("the focus is never a %s", "対象が %s であることはありません", n.head.name)
		}
		s = n.head.narrow(s)
	}
	for _, st := range n.steps {
		var err error
		if s, err = s.member(st.name); err != nil {
			return shape{}, err
		}
		if st.only != nil {
			s = st.only.narrow(s)
		}
	}
	return s, nil
}

// possible reports whether an item may have the type.
func (t *typeSpecifier) possible(s shape) bool {
	for _, k := range s.kinds {
		if k.fhir != nil && t.covers(k.fhir) {
			return true
		}
	}
	return false
}

// member returns the shape of the elements of that name.
func (s shape) member(name string) (shape, error) {
	if !s.known() {
		return shape{}, nil
	}
	var kinds []kind
	for _, k := range s.kinds {
		if k.fhir == nil {
			if k.system == "SimpleTypeInfo" {
				kinds = append(kinds, kind{system: "String"})
			}
			continue
		}
		kinds = append(kinds, elements(k.fhir, name)...)
	}
	if len(kinds) == 0 {
		return shape{}, fault("there is no element %q here", "要素 %q はここにありません", name)
	}
	return shape{kinds: kinds, unordered: s.unordered}, nil
}

// elements returns the types of a type's elements by name or stem.
func elements(t *r4.Type, name string) (kinds []kind) {
	for _, e := range t.Elements {
		if e.Name != name {
			continue
		}
		if !e.Choice {
			if p, ok := t.Property(name); ok {
				return []kind{{fhir: p.Type}}
			}
			continue
		}
		for _, ref := range e.Types {
			if choice, ok := r4.TypeByName(ref.Code); ok {
				kinds = append(kinds, kind{fhir: choice})
			}
		}
	}
	return kinds
}
