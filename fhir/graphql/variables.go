package graphql

import (
	"encoding/json"
)

// bind gives the variables of an operation their values.
func bind(op *operation, given map[string]json.RawMessage) (map[string]argValue, error) {
	bound := map[string]argValue{}
	for _, v := range op.variables {
		raw, ok := given[v.name]
		switch {
		case ok:
			value, err := fromJSON(raw)
			if err != nil {
				return nil, refuse("variable", "variable %q holds a value that cannot be used", "変数 %q の値が正しくありません", v.name)
			}
			bound[v.name] = value
		case v.fallback != nil:
			bound[v.name] = *v.fallback
		case v.required:
			return nil, refuse("variable", "variable %q has no value", "変数 %q に値がありません", v.name)
		default:
			bound[v.name] = argValue{kind: null}
		}
	}
	return bound, nil
}

func fromJSON(raw json.RawMessage) (argValue, error) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) == nil && items != nil {
		v := argValue{kind: list}
		for _, item := range items {
			value, err := fromJSON(item)
			if err != nil {
				return v, err
			}
			v.list = append(v.list, value)
		}
		return v, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if string(raw) == "null" {
			return argValue{kind: null}, nil
		}
		return argValue{text: text}, nil
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return argValue{}, err
	}
	if _, isObject := plain.(map[string]any); isObject {
		return argValue{kind: object}, nil
	}
	return argValue{text: string(raw)}, nil
}

// text returns a value that must be one scalar.
func (x *executor) text(v argValue) (string, error) {
	texts, err := x.texts(v)
	if err != nil {
		return "", err
	}
	if len(texts) != 1 {
		return "", refuse("argument", "an argument needs one value", "引数には値が一つ必要です")
	}
	return texts[0], nil
}

// texts returns the scalars of a value: one, or those of a list.
func (x *executor) texts(v argValue) ([]string, error) {
	switch v.kind {
	case variableValue:
		bound, ok := x.variables[v.variable]
		if !ok {
			return nil, refuse("variable", "variable %q is not declared", "変数 %q が宣言されていません", v.variable)
		}
		return x.texts(bound)
	case list:
		var all []string
		for _, item := range v.list {
			texts, err := x.texts(item)
			if err != nil {
				return nil, err
			}
			all = append(all, texts...)
		}
		return all, nil
	case object:
		return nil, refuse("argument", "an argument cannot be an object", "引数にオブジェクトは使えません")
	case null:
		return nil, nil
	}
	return []string{v.text}, nil
}

// argument returns the value of a named argument, "" where it is not given.
func (x *executor) argument(args []argument, name string) (string, error) {
	for _, a := range args {
		if a.name == name {
			return x.text(a.value)
		}
	}
	return "", nil
}
