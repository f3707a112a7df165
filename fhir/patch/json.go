package patch

import (
	"errors"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

// JSON applies a JSON Patch document to the JSON form of the resource. An
// array or object that the operations leave without content disappears, for
// FHIR has no empty ones. https://www.rfc-editor.org/rfc/rfc6902
func JSON(resource *fhir.Element, patch []byte) (*fhir.Element, error) {
	ops, err := parseOperations(patch)
	if err != nil {
		return nil, err
	}
	return throughJSON(resource, func(doc *value) (*value, error) { return applyAll(doc, ops) })
}

// Merge applies a JSON Merge Patch document to the JSON form of the resource.
// https://www.rfc-editor.org/rfc/rfc7396
func Merge(resource *fhir.Element, patch []byte) (*fhir.Element, error) {
	p, err := parseValue(patch)
	if err != nil {
		return nil, err
	}
	if p.kind != objectKind {
		return nil, issue(RuleSyntax, "a merge patch of a resource is an object", "マージパッチはオブジェクトでなければなりません")
	}
	return throughJSON(resource, func(doc *value) (*value, error) { return merge(doc, p), nil })
}

// throughJSON writes the resource, changes its JSON and reads it again.
func throughJSON(resource *fhir.Element, change func(*value) (*value, error)) (*fhir.Element, error) {
	doc, err := parseValue(fhirjson.Append(nil, resource))
	if err != nil {
		return nil, err
	}
	if doc, err = change(doc); err != nil {
		return nil, err
	}
	result, err := fhirjson.Decode(doc.appendTo(nil), fhirjson.Options{})
	if err != nil {
		return nil, afterwards(err)
	}
	return result, sameIdentity(resource, result)
}

// afterwards drops lines and columns, which point into text nobody has seen.
func afterwards(err error) error {
	var issues fhir.Issues
	if !errors.As(err, &issues) {
		return err
	}
	var out fhir.Issues
	for _, i := range issues {
		i.Line, i.Column = 0, 0
		out = append(out, i)
	}
	return out
}

// operation is one operation of a JSON Patch.
type operation struct {
	op         string
	path, from []string
	value      *value
	number     int // from 1
}

// parseOperations reads and checks a patch document.
func parseOperations(patch []byte) ([]operation, error) {
	doc, err := parseValue(patch)
	if err != nil {
		return nil, err
	}
	if doc.kind != arrayKind {
		return nil, issue(RuleSyntax, "a JSON Patch is an array of operations", "JSON Patch は操作の配列でなければなりません")
	}
	if len(doc.items) > maxOperations {
		return nil, issue(RuleCost, "the patch has too many operations", "パッチの操作が多すぎます")
	}
	ops := make([]operation, len(doc.items))
	for i, item := range doc.items {
		if ops[i], err = parseOperation(item, i+1); err != nil {
			return nil, err
		}
	}
	return ops, nil
}

func parseOperation(item *value, number int) (operation, error) {
	o := operation{number: number, op: item.string("op"), value: item.member("value")}
	bad := func(en, ja string) (operation, error) {
		return o, issue(RuleSyntax, "operation %d "+en, "操作 %d "+ja, number)
	}
	if item.kind != objectKind {
		return bad("is not an object", "がオブジェクトではありません")
	}
	var ok bool
	if o.path, ok = pointer(item.member("path")); !ok {
		return bad("has no path that is a JSON Pointer", "に JSON Pointer の path がありません")
	}
	switch o.op {
	case "add", "replace", "test":
		if o.value == nil {
			return bad("has no value", "に value がありません")
		}
	case "move", "copy":
		if o.from, ok = pointer(item.member("from")); !ok {
			return bad("has no from that is a JSON Pointer", "に JSON Pointer の from がありません")
		}
	case "remove":
	default:
		return bad("is not one of add, remove, replace, move, copy, test", "の種類が正しくありません")
	}
	return o, nil
}

// pointer reads a JSON Pointer. https://www.rfc-editor.org/rfc/rfc6901
func pointer(v *value) (tokens []string, ok bool) {
	if v == nil || v.kind != stringKind {
		return nil, false
	}
	if v.text == "" {
		return nil, true
	}
	rest, ok := strings.CutPrefix(v.text, "/")
	if !ok {
		return nil, false
	}
	for token := range strings.SplitSeq(rest, "/") {
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(token)
		if strings.Contains(plain, "~") {
			return nil, false
		}
		tokens = append(tokens, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return tokens, true
}
