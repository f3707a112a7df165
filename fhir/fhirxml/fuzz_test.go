package fhirxml_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// FuzzDecode: reading never panics, what was read and written is read and
// written again the same, and the way through JSON changes nothing.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		patient(`<name><given value="a"/><given id="g"/></name><birthDate id="b"/>`),
		patient(`<contained><Basic><id value="1"/></Basic></contained><multipleBirthInteger value="2"/>`),
		patient(`<nmae/>a<name/><active value="1"/><active/><!DOCTYPE x>`),
		narrative(`a<br/>&#160;<!-- c --><p title='"'>b</p>`),
		`<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><h:div>b<h:br/></h:div></f:text></f:Patient>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := fhirxml.Decode(data, fhirxml.Options{})
		if err != nil {
			var issues fhir.Issues
			if !errors.As(err, &issues) || len(issues) == 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		once := fhirxml.Append(nil, e)
		if e, err = fhirxml.Decode(once, fhirxml.Options{}); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice := fhirxml.Append(nil, e); !bytes.Equal(once, twice) {
			t.Errorf("%s\n%s", once, twice)
		}
		asJSON := fhirjson.Append(nil, e)
		if e, err = fhirjson.Decode(asJSON, fhirjson.Options{MaxDepth: 1000}); err != nil {
			t.Fatalf("%s: %v", asJSON, err)
		}
		if back := fhirxml.Append(nil, e); !bytes.Equal(once, back) {
			t.Errorf("%s\n%s\n%s", once, asJSON, back)
		}
	})
}

// FuzzNarrative: whatever a narrative in JSON holds, the XML stays XML.
func FuzzNarrative(f *testing.F) {
	f.Add("<div>a<br/></div>")
	f.Add("a &nbsp; </div><b>")
	f.Fuzz(func(t *testing.T, div string) {
		if div == "" {
			return
		}
		p := fhir.NewResource("Patient")
		p.Add("text").Set("status", "generated").Set("div", div)
		out := fhirxml.Append(nil, p)
		e, err := fhirxml.Decode(out, fhirxml.Options{})
		if err != nil || len(e.Children) != 1 || len(e.Children[0].Children) != 2 {
			t.Fatalf("%s: %v", out, err)
		}
	})
}
