package patch

import (
	"slices"
	"strconv"
)

// applyAll runs the operations in order, all or nothing.
func applyAll(doc *value, ops []operation) (*value, error) {
	budget := maxValues
	for _, o := range ops {
		var err error
		if doc, err = o.apply(doc, &budget); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// apply runs one operation; the document is changed in place or replaced.
func (o *operation) apply(doc *value, budget *int) (*value, error) {
	switch o.op {
	case "add":
		return o.add(doc, o.path, o.value.clone(budget), budget)
	case "remove":
		_, err := o.remove(doc, o.path)
		return doc, err
	case "replace":
		return o.replace(doc, budget)
	case "move":
		return o.move(doc, budget)
	case "copy":
		from, ok := find(doc, o.from)
		if !ok {
			return nil, o.missing()
		}
		return o.add(doc, o.path, from.clone(budget), budget)
	}
	at, ok := find(doc, o.path)
	if !ok {
		return nil, o.missing()
	}
	if !at.equal(o.value) {
		return nil, issue(RuleTest, "the test of operation %d failed", "操作 %d の test が一致しません", o.number)
	}
	return doc, nil
}

func (o *operation) missing() error {
	return issue(RuleTarget, "operation %d does not find its place", "操作 %d の対象が見つかりません", o.number)
}

// find follows a pointer.
func find(doc *value, path []string) (*value, bool) {
	for _, token := range path {
		next := doc.member(token)
		if doc.kind == arrayKind {
			i, ok := index(token, len(doc.items)-1)
			if !ok {
				return nil, false
			}
			next = doc.items[i]
		}
		if next == nil {
			return nil, false
		}
		doc = next
	}
	return doc, true
}

// index reads an array index from 0 to last, without leading zeros.
func index(token string, last int) (int, bool) {
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i > last || strconv.Itoa(i) != token {
		return 0, false
	}
	return i, true
}

// add puts a value in its place; a member that is there is replaced.
func (o *operation) add(doc *value, path []string, v *value, budget *int) (*value, error) {
	if *budget < 0 {
		return nil, issue(RuleCost, "the result of the patch is too large", "パッチの結果が大きすぎます")
	}
	if len(path) == 0 {
		return v, nil
	}
	parent, ok := find(doc, path[:len(path)-1])
	if !ok {
		return nil, o.missing()
	}
	token := path[len(path)-1]
	switch parent.kind {
	case objectKind:
		parent.set(token, v)
		return doc, nil
	case arrayKind:
		i, ok := len(parent.items), token == "-"
		if !ok {
			i, ok = index(token, len(parent.items))
		}
		if ok {
			parent.items = slices.Insert(parent.items, i, v)
			return doc, nil
		}
	}
	return nil, o.missing()
}

func (v *value) set(name string, to *value) {
	for i := range v.members {
		if v.members[i].name == name {
			v.members[i].value = to
			return
		}
	}
	v.members = append(v.members, member{name, to})
}

// remove takes a value out and returns it.
func (o *operation) remove(doc *value, path []string) (*value, error) {
	if len(path) == 0 {
		return nil, issue(RuleTarget, "operation %d removes the whole resource", "操作 %d がリソース全体を削除します", o.number)
	}
	parent, ok := find(doc, path[:len(path)-1])
	if !ok {
		return nil, o.missing()
	}
	token := path[len(path)-1]
	taken, ok := find(parent, path[len(path)-1:])
	if !ok {
		return nil, o.missing()
	}
	parent.emptied = true
	if parent.kind == arrayKind {
		i, _ := index(token, len(parent.items)-1)
		parent.items = slices.Delete(parent.items, i, i+1)
	} else {
		parent.members = slices.DeleteFunc(parent.members, func(m member) bool { return m.name == token })
	}
	return taken, nil
}

// replace puts a value where there is one.
func (o *operation) replace(doc *value, budget *int) (*value, error) {
	v := o.value.clone(budget)
	if len(o.path) == 0 {
		return v, nil
	}
	if _, ok := find(doc, o.path); !ok {
		return nil, o.missing()
	}
	parent, _ := find(doc, o.path[:len(o.path)-1])
	token := o.path[len(o.path)-1]
	if parent.kind == objectKind {
		parent.set(token, v)
		return doc, nil
	}
	i, _ := index(token, len(parent.items)-1)
	parent.items[i] = v
	return doc, nil
}

// move takes a value out and adds it elsewhere, but not inside itself.
func (o *operation) move(doc *value, budget *int) (*value, error) {
	if len(o.path) > len(o.from) && slices.Equal(o.path[:len(o.from)], o.from) {
		return nil, issue(RuleTarget, "operation %d moves a value into itself", "操作 %d が値をそれ自身の中へ移します", o.number)
	}
	if slices.Equal(o.path, o.from) {
		if _, ok := find(doc, o.from); !ok {
			return nil, o.missing()
		}
		return doc, nil
	}
	v, err := o.remove(doc, o.from)
	if err != nil {
		return nil, err
	}
	return o.add(doc, o.path, v, budget)
}

// merge applies a merge patch: null takes a member out, objects merge,
// anything else replaces. https://www.rfc-editor.org/rfc/rfc7396#section-2
func merge(target, patch *value) *value {
	if patch.kind != objectKind {
		return patch
	}
	if target == nil || target.kind != objectKind {
		target = &value{kind: objectKind, emptied: true}
	}
	for _, m := range patch.members {
		if m.value.kind == nullKind {
			before := len(target.members)
			target.members = slices.DeleteFunc(target.members, func(t member) bool { return t.name == m.name })
			target.emptied = target.emptied || len(target.members) < before
			continue
		}
		target.set(m.name, merge(target.member(m.name), m.value))
	}
	return target
}
