package patch

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

// FHIRPath applies a FHIRPath Patch: a Parameters resource whose parameters
// are operations. Issues name the operation by its place,
// "Parameters.parameter[2]". https://hl7.org/fhir/R4/fhirpatch.html
func FHIRPath(resource, params *fhir.Element) (*fhir.Element, error) {
	if params.ResourceType() != "Parameters" {
		return nil, issue(RuleSyntax, "a FHIRPath Patch is a Parameters resource", "FHIRPath Patch は Parameters でなければなりません")
	}
	result := resource.Clone()
	n := 0
	for p := range params.All("parameter") {
		if n >= maxOperations {
			return nil, issue(RuleCost, "the patch has too many operations", "パッチの操作が多すぎます")
		}
		if err := applyParameter(result, p); err != nil {
			return nil, at(err, n)
		}
		n++
	}
	return result, sameIdentity(resource, result)
}

// at names the operation an error comes from.
func at(err error, n int) error {
	var issues fhir.Issues
	if !errors.As(err, &issues) {
		return err
	}
	var out fhir.Issues
	for _, i := range issues {
		i.Expression = fmt.Sprintf("Parameters.parameter[%d]", n)
		out = append(out, i)
	}
	return out
}

// change is one operation on one resource.
type change struct {
	root  *fhir.Element
	op    string
	parts map[string]*fhir.Element // by name
}

func applyParameter(root, parameter *fhir.Element) error {
	if parameter.Text("name") != "operation" {
		return issue(RuleSyntax, "the parameter is not an operation", "パラメーターが operation ではありません")
	}
	c := change{root: root, parts: map[string]*fhir.Element{}}
	for part := range parameter.All("part") {
		name := part.Text("name")
		switch name {
		case "type", "path", "name", "value", "index", "source", "destination":
		default:
			return issue(RuleSyntax, "the operation has a part of unknown name", "操作に未知の part があります")
		}
		if c.parts[name] != nil {
			return issue(RuleSyntax, "the operation has %s twice", "操作に %s が 2 つあります", name)
		}
		c.parts[name] = part
	}
	c.op = c.parts["type"].Text("valueCode")
	switch c.op {
	case "add":
		return c.add()
	case "insert":
		return c.insert()
	case "delete":
		return c.delete()
	case "replace":
		return c.replace()
	case "move":
		return c.move()
	}
	return issue(RuleSyntax, "the type of the operation is not one of add, insert, delete, replace, move", "操作の type が正しくありません")
}

// path compiles the path of the operation.
func (c *change) path() (*fhirpath.Expression, error) {
	text := c.parts["path"].Text("valueString")
	if text == "" {
		return nil, issue(RuleSyntax, "the operation has no path", "操作に path がありません")
	}
	return fhirpath.Compile(text)
}

// selected returns the elements of the resource a path leads to.
func (c *change) selected(x *fhirpath.Expression) ([]*fhir.Element, error) {
	found, err := x.Evaluate(&fhirpath.Env{Resource: c.root, RootResource: c.root}, c.root)
	if err != nil {
		return nil, err
	}
	var elements []*fhir.Element
	for e := range found.Nodes() {
		if e != c.root && parentOf(c.root, e) == nil {
			return nil, issue(RuleTarget, "the path leads out of the resource", "path がリソースの外を指しています")
		}
		elements = append(elements, e)
	}
	if len(elements) != len(found) {
		return nil, issue(RuleTarget, "the path does not lead to elements", "path が要素を指していません")
	}
	return elements, nil
}

// target returns the one element the path leads to.
func (c *change) target() (*fhir.Element, error) {
	x, err := c.path()
	if err != nil {
		return nil, err
	}
	elements, err := c.selected(x)
	if err != nil {
		return nil, err
	}
	switch len(elements) {
	case 0:
		return nil, issue(RuleTarget, "the path leads to no element", "path の指す要素がありません")
	case 1:
		return elements[0], nil
	}
	return nil, issue(RuleTarget, "the path leads to several elements", "path の指す要素が 1 つではありません")
}

// integer reads an index from 0.
func (c *change) integer(name string) (int, error) {
	i, err := strconv.Atoi(c.parts[name].Text("valueInteger"))
	if err != nil || i < 0 {
		return 0, issue(RuleSyntax, "the operation has no %s, or it is not a number from 0", "操作の %s がないか、0 以上の整数ではありません", name)
	}
	return i, nil
}

// parentOf finds the element that holds another, nil where none does.
func parentOf(root, child *fhir.Element) *fhir.Element {
	for _, c := range root.Children {
		if c == child {
			return root
		}
		if p := parentOf(c, child); p != nil {
			return p
		}
	}
	return nil
}
