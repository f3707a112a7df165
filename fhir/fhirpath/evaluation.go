package fhirpath

import "sync"

// maxSteps bounds the work of one evaluation: items produced and pairs
// compared.
const maxSteps = 4_000_000

// maxText is the longest string, in bytes, an expression may build.
const maxText = 1 << 20

// node is a compiled part of an expression: it appends its value for the
// current frame to dst. It must not keep or change what it is given.
type node interface {
	eval(ev *evaluation, dst Collection) (Collection, error)
}

// condition is a node with a faster way to its truth than by collections.
type condition interface {
	truth(ev *evaluation) (truth, error)
}

// frame is what $this, $index and $total stand for.
type frame struct {
	this  Value // nil: empty
	index int
	total Collection
}

// evaluation is the state of one run. Runs are pooled for their scratch space.
type evaluation struct {
	frame
	env   *Env
	focus Value
	steps int
	free  []Collection
}

var evaluations = sync.Pool{New: func() any { return new(evaluation) }}

var emptyEnv Env

func begin(env *Env, focus Value) *evaluation {
	ev := evaluations.Get().(*evaluation)
	if env == nil {
		env = &emptyEnv
	}
	if n, ok := focus.(Node); ok && n.Element == nil {
		focus = nil
	}
	ev.env, ev.focus, ev.steps = env, focus, 0
	ev.frame = frame{this: focus}
	return ev
}

func (ev *evaluation) end() {
	ev.env, ev.focus, ev.frame = nil, nil, frame{}
	evaluations.Put(ev)
}

// step counts work and stops what takes too much of it.
func (ev *evaluation) step(n int) error {
	ev.steps += n
	if ev.steps > maxSteps {
		return tooCostly()
	}
	return nil
}

// scratch returns an empty collection to be given back with release.
func (ev *evaluation) scratch() Collection {
	if n := len(ev.free); n > 0 {
		c := ev.free[n-1]
		ev.free = ev.free[:n-1]
		return c
	}
	return make(Collection, 0, 8)
}

// release takes back a collection from scratch, however it has grown.
func (ev *evaluation) release(c Collection) {
	if cap(c) > 4096 {
		return
	}
	clear(c)
	ev.free = append(ev.free, c[:0])
}

// collect evaluates a node into scratch space.
func (ev *evaluation) collect(n node) (Collection, error) {
	c, err := n.eval(ev, ev.scratch())
	if err == nil {
		err = ev.step(len(c) + 1)
	}
	return c, err
}

// single evaluates a node to at most one value; nil stands for none.
func (ev *evaluation) single(n node, what string) (Value, error) {
	c, err := ev.collect(n)
	defer ev.release(c)
	if err != nil || len(c) == 0 {
		return nil, err
	}
	if len(c) > 1 {
		return nil, fault("%s takes a single item, not several", "%s に複数の値を渡せません", what)
	}
	return c[0], nil
}

// each runs visit with every item as $this and its place as $index.
func (ev *evaluation) each(items Collection, visit func(Value) (more bool, err error)) error {
	saved := ev.frame
	defer func() { ev.frame = saved }()
	for i, v := range items {
		ev.frame = frame{this: v, index: i, total: saved.total}
		if err := ev.step(1); err != nil {
			return err
		}
		if more, err := visit(v); err != nil || !more {
			return err
		}
	}
	return nil
}
