package fhirpath

import (
	"slices"
	"strings"
	"testing"
)

// FuzzNarrative looks for text that the quick reader calls valid and the XML
// decoder does not.
func FuzzNarrative(f *testing.F) {
	for _, inner := range []string{
		"text", "<p>日本</p>", "<p>a<br/>b</p>", "&nbsp;", "&amp;", "&#160;", "\u3000", "<img src=\"x\"/>",
		`<a href="javascript:x">y</a>`, `<a href="#x" title="t">y</a>`, "<!-- c -->x", "<p>x</b>", "<p class='x'>y</p>",
		"<table><tr><td colspan=\"2\">x</td></tr></table>", "<form>x</form>", "<p onclick=\"x\">y</p>", "]]>", "<![CDATA[x]]>",
	} {
		f.Add(`<div xmlns="http://www.w3.org/1999/xhtml">` + inner + `</div>`)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if plainXHTML(s) && !validXHTML(s) {
			t.Errorf("%q is called valid", s)
		}
	})
}

// TestPlainNarrative wants the usual narratives read the quick way.
func TestPlainNarrative(t *testing.T) {
	for _, inner := range []string{
		"text", "<p>日本</p>", "<p>a<br/>b &amp; c</p>", "&nbsp;x", `<p class="x" id="y">z</p>`,
		`<table class="grid">
		  <tr ><td>x</td ></tr></table>`,
	} {
		s := `<div xmlns="http://www.w3.org/1999/xhtml">` + inner + `</div>`
		if !plainXHTML(s) {
			t.Errorf("%q is left to the decoder", s)
		}
	}
	if !slices.IsSorted(htmlElements) || !slices.IsSorted(htmlAttributes) {
		t.Error("a list is not sorted")
	}
	if plainXHTML(`<div xmlns="http://www.w3.org/1999/xhtml">` + strings.Repeat("<p>", 150) + "x") {
		t.Error("open elements are called valid")
	}
}
