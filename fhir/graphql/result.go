package graphql

import "encoding/json"

// Result is the answer to a query: an object whose fields stand in the order
// in which the query names them.
type Result struct {
	names  []string
	values map[string]*slot
}

// slot is one field of a result: one value, or a list of them.
type slot struct {
	list   bool
	values []any // json.RawMessage or *Result
}

func newResult() *Result { return &Result{values: map[string]*slot{}} }

// add puts a value under a name. It returns false where the name holds a
// single value already.
func (r *Result) add(name string, list bool, value any) bool {
	s, ok := r.values[name]
	if !ok {
		s = &slot{list: list}
		r.names = append(r.names, name)
		r.values[name] = s
	}
	if !s.list && len(s.values) > 0 {
		return false
	}
	s.values = append(s.values, value)
	return true
}

// empty makes a list without values, so that the field is there.
func (r *Result) empty(name string) {
	if r.values[name] == nil {
		r.names = append(r.names, name)
		r.values[name] = &slot{list: true, values: []any{}}
	}
}

// MarshalJSON writes the fields in order.
func (r *Result) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, name := range r.names {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		out = append(append(out, key...), ':')
		s := r.values[name]
		var value []byte
		if s.list {
			value, err = json.Marshal(s.values)
		} else {
			value, err = json.Marshal(s.values[0])
		}
		if err != nil {
			return nil, err
		}
		out = append(out, value...)
	}
	return append(out, '}'), nil
}
