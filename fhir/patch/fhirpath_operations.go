package patch

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

// add appends an element to the one the path leads to; one that does not
// repeat must not be there yet.
func (c *change) add() error {
	parent, err := c.target()
	if err != nil {
		return err
	}
	name := c.parts["name"].Text("valueString")
	if name == "" {
		return issue(RuleSyntax, "the operation has no name", "操作に name がありません")
	}
	e, err := c.newElement(parent, name)
	if err != nil {
		return err
	}
	for _, s := range parent.Children {
		if s.Def == e.Def && e.Def.Max == 1 {
			return issue(RuleTarget, "the element does not repeat and is there already", "繰り返さない要素が既にあります")
		}
	}
	place(parent, e)
	return nil
}

// insert puts an element into a list at an index.
func (c *change) insert() error {
	index, err := c.integer("index")
	if err != nil {
		return err
	}
	parent, list, name, err := c.list()
	if err != nil {
		return err
	}
	if index > len(list) {
		return issue(RuleTarget, "the index is beyond the end of the list", "index がリストの終わりを越えています")
	}
	e, err := c.newElement(parent, name)
	if err != nil {
		return err
	}
	if e.Def.Max == 1 {
		return issue(RuleTarget, "the path does not lead to a list", "path がリストを指していません")
	}
	if index == len(list) {
		place(parent, e)
		return nil
	}
	i := slices.Index(parent.Children, list[index])
	parent.Children = slices.Insert(parent.Children, i, e)
	return nil
}

// delete takes an element out; nothing to delete is no error.
func (c *change) delete() error {
	x, err := c.path()
	if err != nil {
		return err
	}
	elements, err := c.selected(x)
	if err != nil || len(elements) == 0 {
		return err
	}
	if len(elements) > 1 {
		return issue(RuleTarget, "the path leads to several elements", "path の指す要素が 1 つではありません")
	}
	if elements[0] == c.root {
		return issue(RuleTarget, "the operation deletes the whole resource", "操作がリソース全体を削除します")
	}
	c.take(elements[0])
	return nil
}

// take removes an element, and those around it that are empty without it.
func (c *change) take(e *fhir.Element) {
	for e != c.root {
		parent := parentOf(c.root, e)
		parent.Children = slices.DeleteFunc(parent.Children, func(s *fhir.Element) bool { return s == e })
		if len(parent.Children) > 0 || parent.Kind != fhir.None || parent.ResourceType() != "" {
			return
		}
		e = parent
	}
}

// replace puts a value in the place of an element.
func (c *change) replace() error {
	old, err := c.target()
	if err != nil {
		return err
	}
	if old == c.root {
		return issue(RuleTarget, "the operation replaces the whole resource", "操作がリソース全体を置き換えます")
	}
	parent := parentOf(c.root, old)
	name := old.Name
	if old.Def != nil && old.Def.Choice {
		name = old.Def.Name
	}
	e, err := c.newElement(parent, name)
	if err != nil {
		return err
	}
	parent.Children[slices.Index(parent.Children, old)] = e
	return nil
}

// move takes an item of a list to another place in it; the destination is an
// index of the list without the item.
func (c *change) move() error {
	source, err := c.integer("source")
	if err != nil {
		return err
	}
	destination, err := c.integer("destination")
	if err != nil {
		return err
	}
	parent, list, _, err := c.list()
	if err != nil {
		return err
	}
	if source >= len(list) || destination >= len(list) {
		return issue(RuleTarget, "source or destination is beyond the end of the list", "source または destination がリストの終わりを越えています")
	}
	moved := list[source]
	order := slices.Insert(slices.Delete(slices.Clone(list), source, source+1), destination, moved)
	n := 0
	for i, s := range parent.Children {
		if slices.Contains(list, s) {
			parent.Children[i] = order[n]
			n++
		}
	}
	return nil
}

// list returns the repetitions the path leads to, the element that holds them
// and their name. The path may lead to nothing yet: then what stands before
// its last dot is the holder.
func (c *change) list() (parent *fhir.Element, list []*fhir.Element, name string, err error) {
	x, err := c.path()
	if err != nil {
		return nil, nil, "", err
	}
	if list, err = c.selected(x); err != nil {
		return nil, nil, "", err
	}
	if len(list) == 0 {
		parent, name, err = c.holder(x)
		return parent, nil, name, err
	}
	parent, name = parentOf(c.root, list[0]), list[0].Name
	if parent == nil {
		return nil, nil, "", issue(RuleTarget, "the path does not lead to a list", "path がリストを指していません")
	}
	all := slices.Collect(parent.All(name))
	if list[0].Def == nil || list[0].Def.Max == 1 || !slices.Equal(all, list) {
		return nil, nil, "", issue(RuleTarget, "the path does not lead to a whole list", "path がリスト全体を指していません")
	}
	return parent, list, name, nil
}

// holder finds where the list of a path would be.
func (c *change) holder(x *fhirpath.Expression) (*fhir.Element, string, error) {
	before, name, ok := lastName(x.String())
	if !ok {
		return nil, "", issue(RuleTarget, "the path leads to no element", "path の指す要素がありません")
	}
	outer, err := fhirpath.Compile(before)
	if err != nil {
		return nil, "", err
	}
	elements, err := c.selected(outer)
	if err != nil {
		return nil, "", err
	}
	if len(elements) != 1 {
		return nil, "", issue(RuleTarget, "the path leads to no element", "path の指す要素がありません")
	}
	return elements[0], name, nil
}

// lastName cuts a path at its last dot where a plain name follows it.
func lastName(path string) (before, name string, ok bool) {
	for i := len(path) - 1; i > 0; i-- {
		c := path[i]
		if c == '.' {
			return path[:i], path[i+1:], i+1 < len(path)
		}
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return "", "", false
		}
	}
	return "", "", false
}
