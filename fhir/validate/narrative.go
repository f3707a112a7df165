package validate

import (
	"encoding/xml"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// narrativeRule is what a profile asks of a narrative by extension:
// source-control (every block says where it comes from) or language-control
// (a block for each language).
// https://hl7.org/fhir/extensions/StructureDefinition-narrative-source-control.html
type narrativeRule struct{ name, value string }

// narrative checks a Narrative against such a rule.
func (r *run) narrative(e *fhir.Element, rule narrativeRule) {
	blocks, ok := blocksOf(e.Text("div"))
	if !ok {
		return // txt-1 says so
	}
	switch rule.name {
	case "source-control":
		for _, b := range blocks {
			if !b.hasSource() {
				r.fail(fhir.Invalid, "narrative-source", fhir.Messagef(
					"Each block of the narrative must have a class that tells its source (boilerplate, generated or original)",
					"説明文の各ブロックには出所を示す class(boilerplate, generated, original)が必要です"))
			}
		}
	case "language-control":
		r.languages(blocks, rule.value)
	}
}

// languages checks the language blocks: "_yes" wants them, "_no" refuses
// them, a language wants just that one.
func (r *run) languages(blocks []block, want string) {
	found := map[string]bool{}
	for _, b := range blocks {
		if b.lang != "" {
			found[b.lang] = true
		}
	}
	switch {
	case want == "_yes" && len(found) == 0:
		r.fail(fhir.Required, "narrative-language", fhir.Messagef(
			"The narrative must have a div for each language", "説明文には言語ごとの div が必要です"))
	case want == "_no" && len(found) > 0:
		r.fail(fhir.Invalid, "narrative-language", fhir.Messagef(
			"The narrative must not be divided by language", "説明文を言語ごとに分けることはできません"))
	case !strings.HasPrefix(want, "_") && !found[want]:
		r.fail(fhir.Required, "narrative-language", fhir.Messagef(
			"The narrative must have a div in the language %s", "説明文には言語 %s の div が必要です", want))
	}
}

// block is an element, or text, right below the div of a narrative.
type block struct{ class, lang string }

func (b block) hasSource() bool {
	for _, c := range strings.Fields(b.class) {
		if c == "boilerplate" || c == "generated" || c == "original" {
			return true
		}
	}
	return false
}

func blocksOf(div string) ([]block, bool) {
	d := xml.NewDecoder(strings.NewReader(div))
	d.Entity = xml.HTMLEntity
	var out []block
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return out, depth == 0 && len(div) > 0
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 1 {
				out = append(out, newBlock(t))
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 1 && strings.TrimSpace(string(t)) != "" {
				out = append(out, block{})
			}
		}
	}
}

func newBlock(t xml.StartElement) block {
	var b block
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "class":
			b.class = a.Value
		case "lang":
			b.lang = a.Value
		}
	}
	return b
}
