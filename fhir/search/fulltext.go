package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// fullText reports whether the parameter searches whole texts.
// https://hl7.org/fhir/R4/search.html#content
func fullText(code string) bool { return code == "_text" || code == "_content" }

// wordLimit is the length in bytes at which a word is cut.
const wordLimit = 32

// grams yields what a text is found by: each pair of neighbouring Japanese
// characters and the last one of a run alone, and each word of other scripts.
// All are folded; blanks between Japanese characters do not part them.
func grams(text string, yield func(gram []byte)) {
	var run []rune // Japanese characters at hand
	var word []byte
	flushRun := func() {
		var buf [2 * utf8.UTFMax]byte
		for i, r := range run {
			gram := utf8.AppendRune(buf[:0], r)
			if i+1 < len(run) {
				gram = utf8.AppendRune(gram, run[i+1])
			}
			yield(gram)
		}
		run = run[:0]
	}
	flushWord := func() {
		if len(word) > 0 {
			yield(word[:min(len(word), wordLimit)])
			word = word[:0]
		}
	}
	for _, piece := range strings.FieldsFunc(text, unicode.IsSpace) {
		flushWord()
		for _, r := range Fold(piece) {
			switch {
			case easternRune(r) && (unicode.IsLetter(r) || unicode.IsNumber(r)):
				flushWord()
				run = append(run, r)
			case unicode.IsLetter(r) || unicode.IsNumber(r):
				flushRun()
				word = utf8.AppendRune(word, r)
			default:
				flushRun()
				flushWord()
			}
		}
	}
	flushRun()
	flushWord()
}

func (x *extraction) fullTextKeys(k *keys, code string) {
	if !x.r.opts.FullText {
		return
	}
	k.prefix = append(append(k.prefix[:0], code...), 0)
	x.texts(code, func(text string) {
		grams(text, func(gram []byte) {
			k.begin(kindGram)
			k.buf = append(k.buf, gram...)
			k.end()
		})
	})
}

// texts yields the narrative, or for _content every text of the resource that
// is written for people.
func (x *extraction) texts(code string, yield func(string)) {
	if div := x.root.Text("text", "div"); div != "" {
		yield(stripTags(div))
	}
	if code == "_text" {
		return
	}
	x.root.Walk(func(e *fhir.Element) bool {
		if e.Kind == fhir.String && e.Type != nil && (e.Type.Name == "string" || e.Type.Name == "markdown") {
			yield(e.Value)
		}
		return true
	})
}

// stripTags leaves the text of an XHTML fragment; a tag parts words.
func stripTags(s string) string {
	var b strings.Builder
	inTag := false
	for _, r := range s {
		switch {
		case r == '<':
			inTag = true
		case r == '>' && inTag:
			inTag = false
			b.WriteByte(' ')
		case !inTag:
			b.WriteRune(r)
		}
	}
	return unescapeEntities.Replace(b.String())
}

var unescapeEntities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#160;", " ", "&nbsp;", " ", "&amp;", "&")

// gramRanges compiles one gram: what starts with it is found.
func gramRanges(v *Value) []Range {
	return []Range{startingWith(append([]byte{kindGram}, v.Raw...))}
}

func (x *extraction) fullTextMatches(code string, v *Value) bool {
	found := false
	x.texts(code, func(text string) {
		grams(text, func(gram []byte) { found = found || strings.HasPrefix(string(gram), v.Raw) })
	})
	return found
}

// fullTextClause asks for every gram of an alternative.
func fullTextClause(p *Parameter, values []string) (Clause, string) {
	var c Clause
	for _, raw := range values {
		var all []Clause
		grams(unescape(raw), func(gram []byte) {
			all = append(all, Clause{Param: p, Values: []Value{{Raw: string(gram)}}})
		})
		if len(all) == 0 || len(all) > 64 {
			return c, "the value has no words, or too many"
		}
		c.Any = append(c.Any, dropTails(all))
	}
	return c, ""
}

// dropTails leaves out the single character at the end of a run of several:
// the pair before it says more.
func dropTails(all []Clause) []Clause {
	if len(all) < 2 {
		return all
	}
	kept := all[:0]
	for i, c := range all {
		gram := c.Values[0].Raw
		if i > 0 && utf8.RuneCountInString(gram) == 1 && eastern(gram) && strings.HasSuffix(all[i-1].Values[0].Raw, gram) {
			continue
		}
		kept = append(kept, c)
	}
	return kept
}
