package search

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// maxIncludes bounds the _include and _revinclude of one query.
const maxIncludes = 64

// directive reads a parameter that shapes the result. done is false for one
// that is a criterion. https://hl7.org/fhir/R4/search.html#return
func (p *parser) directive(name, value string) (done bool, err error) {
	d := &p.req.Directives
	switch name {
	case "_sort":
		return true, p.sort(value)
	case "_include", "_include:iterate", "_include:recurse":
		return true, p.include(name, value, &d.Include)
	case "_revinclude", "_revinclude:iterate", "_revinclude:recurse":
		return true, p.include(name, value, &d.RevInclude)
	case "_elements":
		return true, p.elements(value)
	case "_count", "_total", "_summary", "_contained", "_containedType", "_format", "_pretty", "_cursor":
	default:
		return false, nil
	}
	if p.once == nil {
		p.once = map[string]string{}
	}
	if before, ok := p.once[name]; ok && before != value {
		return true, p.refuse(name, fhir.Invalid, "search-repeated", "the parameter is given twice", "パラメータが重複しています")
	}
	p.once[name] = value
	if value == "" {
		return true, nil
	}
	return true, p.single(name, value)
}

// single reads a directive that may be given once.
func (p *parser) single(name, value string) error {
	d := &p.req.Directives
	switch name {
	case "_count":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return p.badValue(name, "the value is not a count")
		}
		p.req.Query.Count, d.CountGiven = int(n), true
	case "_total":
		p.req.Query.Total, d.TotalGiven = TotalMode(value), true
		return p.oneOf(name, value, "none", "estimate", "accurate")
	case "_summary":
		d.Summary = value
		return p.oneOf(name, value, "true", "text", "data", "count", "false")
	case "_contained":
		d.Contained = value
		return p.oneOf(name, value, "true", "false", "both")
	case "_containedType":
		d.ContainedType = value
		return p.oneOf(name, value, "container", "contained")
	case "_format":
		d.Format = value
	case "_pretty":
		d.Pretty = value
	case "_cursor":
		d.Cursor = value
	}
	return nil
}

func (p *parser) oneOf(name, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return p.badValue(name, "the value is not one of "+strings.Join(allowed, ", "))
}

// elements reads _elements.
// https://hl7.org/fhir/R4/search.html#elements
func (p *parser) elements(value string) error {
	for _, e := range strings.Split(value, ",") {
		if e = strings.TrimSpace(e); e != "" {
			p.req.Directives.Elements = append(p.req.Directives.Elements, e)
		}
	}
	return nil
}

// sort reads _sort: parameters, a minus before one for descending order.
// https://hl7.org/fhir/R4/search.html#sort
func (p *parser) sort(value string) error {
	for _, key := range strings.Split(value, ",") {
		if key = strings.TrimSpace(key); key == "" {
			continue
		}
		code, descending := strings.CutPrefix(key, "-")
		groups := p.lookup(p.types, code, true)
		if len(groups) == 0 {
			p.req.Unknown = append(p.req.Unknown, "_sort="+code)
			continue
		}
		param := groups[0].param
		if param.Type == "composite" || param.Type == "special" || fullText(param.Code) {
			return p.refuse("_sort", fhir.NotSupported, "search-sort", "results cannot be sorted by this parameter", "このパラメータでは並べ替えできません")
		}
		p.req.Query.Sort = append(p.req.Query.Sort, SortKey{Param: param, Descending: descending})
		p.req.Directives.SortGiven = true
	}
	if len(p.req.Query.Sort) > 8 {
		return p.refuse("_sort", fhir.TooCostly, "search-sort", "too many sort keys", "並べ替えキーが多すぎます")
	}
	return nil
}

// include reads Source:parameter[:Target], Source:* or *.
// https://hl7.org/fhir/R4/search.html#revinclude
func (p *parser) include(name, value string, to *[]Include) error {
	if value == "" {
		return nil
	}
	inc := Include{Iterate: strings.HasSuffix(name, ":iterate") || strings.HasSuffix(name, ":recurse")}
	parts := strings.Split(value, ":")
	switch {
	case value == "*":
		inc.Wildcard = true
	case len(parts) < 2 || len(parts) > 3 || p.r.tables[parts[0]] == nil:
		return p.refuse(name, fhir.Invalid, "search-include", "Type:parameter[:Target] is expected", "型:パラメータ[:参照先]の形で指定してください")
	case parts[1] == "*":
		inc.Source, inc.Wildcard = parts[0], true
	default:
		param, ok := p.r.Lookup(parts[0], parts[1])
		if !ok || param.Type != "reference" {
			return p.refuse(name, fhir.Invalid, "search-include", "the parameter is not a reference of the type", "その型の参照パラメータではありません")
		}
		inc.Source, inc.Param = parts[0], param
	}
	if len(parts) == 3 {
		if inc.Target = parts[2]; p.r.tables[inc.Target] == nil {
			return p.refuse(name, fhir.Invalid, "search-include", "the target is not a resource type", "参照先がリソース型ではありません")
		}
	}
	if *to = append(*to, inc); len(*to) > maxIncludes {
		return p.refuse(name, fhir.TooCostly, "search-include", "too many includes", "includeが多すぎます")
	}
	return nil
}
