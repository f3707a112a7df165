package search

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Limits of a query string.
const (
	maxQueryBytes = 1 << 18
	maxCriteria   = 256
	maxValues     = 4096
)

// Parse reads the raw query string of a search on a type ("" for all types).
// What is not a criterion (_sort, _count, _include, _summary, …) comes back in
// Directives. Unknown parameters are returned in Unknown rather than refused.
// A criterion without a value is ignored. Errors are fhir.Issues that name the
// parameter ("http.birthdate") and never its value.
func (r *Registry) Parse(resourceType, rawQuery string) (Request, error) {
	p := parser{r: r}
	if len(rawQuery) > maxQueryBytes {
		return Request{}, p.refuse("", fhir.TooLong, "query-too-long", "the query string is too long", "検索条件が長すぎます")
	}
	if resourceType != "" && r.tables[resourceType] == nil {
		return Request{}, p.refuse("", fhir.NotSupported, "unknown-type", "the resource type is not known", "リソース型が不明です")
	}
	pairs, err := p.pairs(rawQuery)
	if err != nil {
		return Request{}, err
	}
	if err := p.setTypes(resourceType, pairs); err != nil {
		return Request{}, err
	}
	for _, kv := range pairs {
		if err := p.parameter(kv.name, kv.value); err != nil {
			return Request{}, err
		}
	}
	return p.req, nil
}

// parser builds one Request.
type parser struct {
	r     *Registry
	req   Request
	types []string // the types whose parameters apply
	once  map[string]string
}

type pair struct{ name, value string }

// pairs undoes the percent-encoding of a query string.
func (p *parser) pairs(raw string) ([]pair, error) {
	var out []pair
	for _, part := range strings.Split(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err != nil || !cleanUTF8(n) {
			return nil, p.refuse("", fhir.Invalid, "query-encoding", "a parameter name is not properly encoded", "パラメータ名のエンコードが正しくありません")
		}
		v, err := url.QueryUnescape(value)
		if err != nil || !cleanUTF8(v) {
			return nil, p.refuse(n, fhir.Invalid, "query-encoding", "the value is not properly encoded UTF-8", "値がUTF-8として正しくエンコードされていません")
		}
		out = append(out, pair{n, v})
	}
	if len(out) > maxCriteria {
		return nil, p.refuse("", fhir.TooCostly, "query-too-many", "the query has too many parameters", "検索パラメータが多すぎます")
	}
	return out, nil
}

func cleanUTF8(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// refuse makes an error about a parameter. The name is cut where it is long,
// since it comes from the client.
func (p *parser) refuse(name string, code fhir.Code, id, en, ja string) error {
	expression := ""
	if name != "" {
		if len(name) > 64 {
			name = strings.ToValidUTF8(name[:64], "")
		}
		expression = "http." + name
		en, ja = "parameter "+name+": "+en, "パラメータ "+name+": "+ja
	}
	return fhir.Issues{{Severity: fhir.Error, Code: code, ID: id, Message: fhir.Message{En: en, Ja: ja}, Expression: expression}}
}

func (p *parser) badValue(name, what string) error {
	return p.refuse(name, fhir.Value, "search-value", what, "値が正しくありません")
}

func (p *parser) notSupported(name, what string) error {
	return p.refuse(name, fhir.NotSupported, "search-not-supported", what, "この検索はサポートされていません")
}

// setTypes finds the types searched: that of the URL, or those of _type.
func (p *parser) setTypes(resourceType string, pairs []pair) error {
	if resourceType != "" {
		p.req.Query.Types = []string{resourceType}
	}
	for _, kv := range pairs {
		if kv.name != "_type" || kv.value == "" {
			continue
		}
		types := splitEscaped(kv.value, ',')
		for _, t := range types {
			if p.r.tables[t] == nil {
				return p.badValue("_type", "an unknown resource type")
			}
		}
		if len(p.req.Query.Types) == 0 {
			p.req.Query.Types = types
			continue
		}
		both := slices.DeleteFunc(slices.Clone(p.req.Query.Types), func(t string) bool { return !slices.Contains(types, t) })
		if len(both) == 0 {
			return p.badValue("_type", "no resource type is left to search")
		}
		p.req.Query.Types = both
	}
	slices.Sort(p.req.Query.Types)
	p.req.Query.Types = slices.Compact(p.req.Query.Types)
	if p.types = p.req.Query.Types; len(p.types) == 0 {
		p.types = r4.ResourceTypes()
	}
	return nil
}

// errUnknown tells that a parameter, or a link of a chain, is not known.
var errUnknown = errors.New("unknown search parameter")

// parameter reads one parameter of the query string.
func (p *parser) parameter(name, value string) error {
	if done, err := p.directive(name, value); done || err != nil {
		return err
	}
	if value == "" {
		return nil
	}
	var c Clause
	var err error
	switch base, modifier, _ := strings.Cut(name, ":"); {
	case name == "_type":
		return nil
	case name == "_filter":
		c, err = p.filter(value)
	case base == "_query":
		err = p.notSupported("_query", "the server has no named queries")
	case base == "_list" && modifier == "":
		c, err = p.list(value)
	default:
		c, err = p.criterion(criterionAt{name: name, types: p.types}, name, value)
	}
	switch {
	case errors.Is(err, errUnknown):
		p.req.Unknown = append(p.req.Unknown, name)
		return nil
	case err != nil:
		return err
	case !c.empty():
		p.req.Query.Where = append(p.req.Query.Where, c)
	}
	return nil
}

// empty tells a criterion that has no values and so is ignored.
func (c *Clause) empty() bool {
	return len(c.Values) == 0 && c.Chain == nil && c.Has == nil && len(c.Any) == 0 && c.Contained == nil && c.Modifier != ModifierMissing
}

// list reads _list=id: the resources that a List refers to.
// https://hl7.org/fhir/R4/search.html#list
func (p *parser) list(value string) (Clause, error) {
	if strings.HasPrefix(value, "$") {
		return Clause{}, p.notSupported("_list", "functional lists are not supported")
	}
	item, ok := p.r.Lookup("List", "item")
	id, ok2 := p.r.Lookup("List", "_id")
	if !ok || !ok2 {
		return Clause{}, errUnknown
	}
	where := Clause{Param: id}
	for _, raw := range splitEscaped(value, ',') {
		raw = strings.TrimPrefix(unescape(raw), "List/")
		if !validID(raw) {
			return Clause{}, p.badValue("_list", "the value is not the id of a list")
		}
		where.Values = append(where.Values, Value{Raw: raw, Code: raw})
	}
	return Clause{Has: &Has{Type: "List", Reference: item, Where: where}}, nil
}

// splitEscaped cuts at a separator that no backslash escapes. The pieces keep
// their escapes. https://hl7.org/fhir/R4/search.html#escaping
func splitEscaped(s string, sep byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// unescape undoes \, \| \$ and \\; another backslash stands for itself.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`,|$\`, s[i+1]) >= 0 {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
