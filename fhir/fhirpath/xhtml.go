package fhirpath

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// htmlChecks tests the rules of narrative text: one div in the XHTML
// namespace, with nothing but the formatting elements and attributes FHIR
// allows, nothing active and something to see.
// https://hl7.org/fhir/R4/narrative.html#xhtml
func htmlChecks(_ *evaluation, c *call, in Collection) (truth, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return unsure, err
	}
	s := ""
	if n, ok := v.(Node); ok && n.Element != nil && n.Kind == fhir.String {
		s = n.Value
	} else if t, ok := v.(String); ok {
		s = string(t)
	}
	return truthFrom(plainXHTML(s) || validXHTML(s)), nil
}

const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// The elements and attributes of narrative: chapters 7 to 11 (but forms) and
// 15 of HTML 4.0, a and img, and style attributes. Both are sorted.
var (
	htmlElements = strings.Fields(`a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd del
		dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li map ol p pre q samp small span strong sub sup
		table tbody td tfoot th thead tr tt ul var`)
	htmlAttributes = strings.Fields(`abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing
		cellvalign char charoff charset cite class colspan compact coords dir frame headers height href hreflang
		hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex
		title type usemap valign value vspace width xmlns`)
)

// validXHTML reads the text as XML and checks every element.
func validXHTML(s string) bool {
	d := xml.NewDecoder(strings.NewReader(s))
	d.Entity = xml.HTMLEntity
	depth, roots, visible := 0, 0, false
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return depth == 0 && roots == 1 && visible
		}
		if err != nil {
			return false
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
				if t.Name.Local != "div" {
					return false
				}
			}
			depth++
			if !validTag(&t) || depth > 200 {
				return false
			}
			visible = visible || t.Name.Local == "img"
		case xml.EndElement:
			depth--
		case xml.CharData:
			blank := strings.TrimSpace(string(t)) == ""
			if depth == 0 && !blank {
				return false
			}
			visible = visible || !blank
		case xml.Directive, xml.ProcInst:
			return false
		}
	}
}

func listed(names []string, name string) bool {
	_, found := slices.BinarySearch(names, name)
	return found
}

func validTag(t *xml.StartElement) bool {
	if t.Name.Space != xhtmlNamespace || !listed(htmlElements, t.Name.Local) {
		return false
	}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns" || a.Name.Space == "http://www.w3.org/XML/1998/namespace":
		case a.Name.Space != "" || !listed(htmlAttributes, a.Name.Local):
			return false
		case a.Name.Local == "href" || a.Name.Local == "src":
			if active(a.Value) {
				return false
			}
		}
	}
	return true
}

// active reports whether a URL is code rather than a place.
func active(url string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(strings.TrimSpace(url)), ":")
	if !ok {
		return false
	}
	scheme = strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, scheme)
	return scheme == "javascript" || scheme == "vbscript"
}
