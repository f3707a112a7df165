package validate

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// allowedXHTML lists the elements of narrative with the attributes of each,
// besides those of all elements.
// https://hl7.org/fhir/R4/narrative.html#xhtml
var allowedXHTML = sync.OnceValue(func() map[string]map[string]bool {
	const cell = "abbr axis headers scope rowspan colspan align valign char charoff width height bgcolor nowrap"
	const row = "align valign char charoff bgcolor"
	table := map[string]string{
		"a":          "href name charset type hreflang rel rev shape coords target",
		"img":        "src alt longdesc height width usemap ismap border align",
		"blockquote": "cite", "q": "cite",
		"map": "name", "area": "shape coords href nohref alt",
		"table": "summary width border frame rules cellspacing cellpadding align bgcolor",
		"td":    cell, "th": cell, "tr": row, "thead": row, "tbody": row, "tfoot": row,
		"col": row + " span width", "colgroup": row + " span width", "caption": "align",
		"ol": "type start", "ul": "type", "li": "type value", "br": "clear",
		"hr": "align size width", "pre": "space width",
	}
	for _, name := range strings.Fields(`div p span h1 h2 h3 h4 h5 h6 b i em strong small big tt
		dfn code samp kbd var cite abbr acronym address bdo sub sup dl dt dd`) {
		table[name] += " align"
	}
	out := make(map[string]map[string]bool, len(table))
	for name, attributes := range table {
		out[name] = map[string]bool{}
		for _, a := range strings.Fields(attributes + " xmlns id class style title lang dir accesskey tabindex") {
			out[name][a] = true
		}
	}
	return out
})

const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// xhtml checks the div of a narrative.
// https://hl7.org/fhir/R4/narrative.html
func (r *run) xhtml(e *fhir.Element) {
	d := xml.NewDecoder(strings.NewReader(e.Value))
	d.Entity = xml.HTMLEntity
	content := false
	depth := 0
	var links []string
	anchors := map[string]bool{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.fail(fhir.Invariant, "txt-1", fhir.Messagef(
				"The narrative is not well-formed XHTML", "説明文が整形式の XHTML ではありません"))
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			r.xhtmlElement(t, depth)
			links = linksOf(t, links, anchors)
			content = content || t.Name.Local == "img"
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			content = content || strings.TrimSpace(string(t)) != ""
		case xml.Directive, xml.ProcInst:
			r.fail(fhir.Invariant, "txt-1", fhir.Messagef(
				"The narrative must not have declarations or processing instructions", "説明文に宣言や処理命令は使えません"))
		}
	}
	for _, link := range links {
		if r.frame.local.gather(r.frame.container); !anchors[link] && !r.frame.local.ids[link] {
			r.warn(fhir.Invalid, "xhtml-anchor", fhir.Messagef(
				"The link '#%s' in the narrative leads nowhere", "説明文のリンク '#%s' の飛び先がありません", fhir.Clip(link)))
		}
	}
	if !content {
		r.fail(fhir.Invariant, "txt-2", fhir.Messagef(
			"The narrative has no content", "説明文に内容がありません"))
	}
}

// linksOf adds the fragments that a tag links to, and those it is the target
// of to anchors.
func linksOf(t xml.StartElement, links []string, anchors map[string]bool) []string {
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "href":
			if id, ok := cutFragment(a.Value); ok && id != "" {
				links = append(links, id)
			}
		case "id", "name":
			anchors[a.Value] = true
		}
	}
	return links
}

func (r *run) xhtmlElement(t xml.StartElement, depth int) {
	name := t.Name.Local
	if depth == 0 && (name != "div" || t.Name.Space != xhtmlNamespace) {
		r.fail(fhir.Invariant, "txt-1", fhir.Messagef(
			"The narrative must be a div in the namespace %s", "説明文は名前空間 %s の div でなければなりません", xhtmlNamespace))
	}
	attributes, ok := allowedXHTML()[name]
	if !ok {
		r.fail(fhir.Invariant, "txt-1", fhir.Messagef(
			"The element '%s' is not allowed in narrative", "要素 '%s' は説明文に使えません", name))
		return
	}
	for _, a := range t.Attr {
		if !attributes[a.Name.Local] && a.Name.Space != "xmlns" {
			r.fail(fhir.Invariant, "txt-1", fhir.Messagef(
				"The attribute '%s' of '%s' is not allowed in narrative", "'%[2]s' の属性 '%[1]s' は説明文に使えません", a.Name.Local, name))
		}
		if a.Name.Local == "href" || a.Name.Local == "src" {
			r.xhtmlLink(a.Value)
		}
	}
}

// linkSchemes are those a reader can follow.
var linkSchemes = map[string]bool{"http": true, "https": true, "tel": true, "mailto": true, "ftp": true, "cid": true, "data": true}

func (r *run) xhtmlLink(link string) {
	if !isAbsolute(link) {
		return
	}
	scheme, _, _ := strings.Cut(link, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case scheme == "javascript" || scheme == "vbscript":
		r.fail(fhir.Security, "xhtml-script", fhir.Messagef(
			"A link in narrative must not run a script", "説明文のリンクでスクリプトを実行することはできません"))
	case !linkSchemes[scheme]:
		r.fail(fhir.Invalid, "xhtml-link", fhir.Messagef(
			"A link in narrative must not have the scheme '%s'", "説明文のリンクにスキーム '%s' は使えません", scheme))
	}
}
