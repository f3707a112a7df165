package fhirxml_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

var project = os.DirFS("../..")

func TestRoundTrip(t *testing.T) {
	for x, err := range fhirtest.Some(project) {
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, x)
	}
}

func TestRoundTripAll(t *testing.T) {
	if !fhirtest.HasAll(project) || testing.Short() {
		t.Skip("all examples: run make examples, and go test without -short")
	}
	for x, err := range fhirtest.All(project) {
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, x)
	}
}

// roundTrip takes an example from JSON to XML and back; nothing may differ.
func roundTrip(t *testing.T, x fhirtest.Example) {
	t.Helper()
	opts := fhirxml.Options{MaxBytes: 128 << 20}
	e, err := fhirjson.Decode(x.JSON, fhirjson.Options{MaxBytes: 64 << 20})
	if err != nil {
		t.Errorf("%s: %v", x.Name, err)
		return
	}
	once := fhirxml.Append(nil, e)
	if e, err = fhirxml.Decode(once, opts); err != nil {
		t.Errorf("%s: %v", x.Name, err)
		return
	}
	diff, err := fhirtest.Difference(x.JSON, fhirjson.Append(nil, e))
	if err != nil || diff != "" {
		t.Errorf("%s: differs at %s (%v)", x.Name, diff, err)
	}
	if string(fhirxml.Append(nil, e)) != string(once) {
		t.Errorf("%s: the XML changed", x.Name)
	}
	if e, err = fhirxml.Decode(fhirxml.AppendIndent(nil, e), opts); err != nil || string(fhirxml.Append(nil, e)) != string(once) {
		t.Errorf("%s: the indented XML differs (%v)", x.Name, err)
	}
}

// TestForms shows XML beside JSON: what is read from the one is what is
// written as the other.
func TestForms(t *testing.T) {
	const xmlns = ` xmlns="http://hl7.org/fhir"`
	tests := []struct{ name, xml, json string }{
		{"empty", `<Patient` + xmlns + `/>`, `{"resourceType":"Patient"}`},
		{"primitives", `<Patient` + xmlns + `><id value="1"/><active value="true"/><multipleBirthInteger value="2"/></Patient>`,
			`{"resourceType":"Patient","id":"1","active":true,"multipleBirthInteger":2}`},
		{"decimals", `<Observation` + xmlns + `><valueQuantity><value value="1.10"/></valueQuantity></Observation>`, `{"resourceType":"Observation","valueQuantity":{"value":1.10}}`},
		{"ids and extensions", `<Patient` + xmlns + `><birthDate id="b" value="1940"><extension id="x" url="http://x"><valueCode value="c"/></extension></birthDate></Patient>`,
			`{"resourceType":"Patient","birthDate":"1940","_birthDate":{"id":"b","extension":[{"id":"x","url":"http://x","valueCode":"c"}]}}`},
		{"repetitions without value", `<Patient` + xmlns + `><name><given value="a"/><given id="g"/></name></Patient>`,
			`{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"g"}]}]}`},
		{"contained", `<Patient` + xmlns + `><contained><Basic><id value="c"/></Basic></contained><contained><Basic/></contained></Patient>`,
			`{"resourceType":"Patient","contained":[{"resourceType":"Basic","id":"c"},{"resourceType":"Basic"}]}`},
		{"entry", `<Bundle` + xmlns + `><entry><resource><Bundle><type value="batch"/></Bundle></resource></entry></Bundle>`,
			`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Bundle","type":"batch"}}]}`},
		{"characters", `<Patient` + xmlns + `><name><text value="&lt;&amp;&quot;&gt;'&#x9;&#xD;&#xA;𠮷"/></name></Patient>`,
			`{"resourceType":"Patient","name":[{"text":"<&\">'\t\r\n𠮷"}]}`},
		{"narrative", `<Patient` + xmlns + `><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml" id="n">a<br/><!-- c --> &#160;&amp;<p title='"' xml:lang="ja">あ</p></div></text></Patient>`,
			`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" id=\"n\">a<br/><!-- c --> &#160;&amp;<p title='\"' xml:lang=\"ja\">あ</p></div>"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := fhirxml.Decode([]byte(tt.xml), fhirxml.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.json, string(fhirjson.Append(nil, e))); diff != "" {
				t.Errorf("JSON of the XML:\n%s", diff)
			}
			if e, err = fhirjson.Decode([]byte(tt.json), fhirjson.Options{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.xml, string(fhirxml.Append(nil, e))); diff != "" {
				t.Errorf("XML of the JSON:\n%s", diff)
			}
		})
	}
}

// TestRead shows what XML may look like beyond what the writer writes.
func TestRead(t *testing.T) {
	tests := []struct{ name, xml, json string }{
		{"declaration, comments, instructions, byte order mark", "\ufeff<?xml version='1.0' encoding='utf-8'?>\n<?xml-stylesheet href='x'?><!-- c -->\n<Patient xmlns='http://hl7.org/fhir'>\r\n<!-- d --><active value='true' ></active>\n</Patient >\n<!-- e -->",
			`{"resourceType":"Patient","active":true}`},
		{"schema location", `<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"/>`,
			`{"resourceType":"Patient"}`},
		{"prefixes", `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><f:text><f:status value="generated"/><h:div class="a">b<h:br/><h:p>c</h:p></h:div></f:text><f:active value="true"/></f:Patient>`,
			`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"a\">b<br/><p>c</p></div>"},"active":true}`},
		{"line ends in a value", "<Patient xmlns='http://hl7.org/fhir'><name><text value='a\r\nb\tc&#10;d'/></name></Patient>",
			`{"resourceType":"Patient","name":[{"text":"a b c\nd"}]}`},
		{"prefix declared inside a narrative", `<Patient xmlns="http://hl7.org/fhir"><text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml" xmlns:x="urn:x" x:a="b"/></text></Patient>`,
			`{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:x=\"urn:x\" x:a=\"b\"/>"}}`},
		{"references", `<Patient xmlns="http://hl7.org/fhir"><name><text value="&#x20BB7;&#37326;&apos;"/></name></Patient>`,
			`{"resourceType":"Patient","name":[{"text":"𠮷野'"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := fhirxml.Decode([]byte(tt.xml), fhirxml.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.json, string(fhirjson.Append(nil, e))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWriteNarratives shows that a narrative from JSON cannot break the XML.
func TestWriteNarratives(t *testing.T) {
	const open = `<div xmlns="http://www.w3.org/1999/xhtml">`
	tests := []struct{ name, div, want string }{
		{"no namespace", `<div>a</div>`, open + `a</div>`},
		{"unknown entities", open + `a&nope;</div>`, open + `&lt;div xmlns=&quot;http://www.w3.org/1999/xhtml&quot;&gt;a&amp;nope;&lt;/div&gt;</div>`},
		{"HTML's entities", open + `a&nbsp;&eacute;&lt;</div>`, open + "a\u00a0é&lt;</div>"},
		{"not closed", `<div>a<br></div>`, open + `&lt;div&gt;a&lt;br&gt;&lt;/div&gt;</div>`},
		{"more than a div", open + `</div><active value="false"/>`, ""},
		{"breaks out", `</div></text><active value="false"/><text><div>`, ""},
		{"document type", `<!DOCTYPE a><div/>`, ""},
		{"foreign element", `<div xmlns="http://hl7.org/fhir"/>`, ""},
		{"characters", "<div>a\u0001</div>", ""},
		{"text", `a < b`, open + `a &lt; b</div>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := fhir.NewResource("Patient")
			p.Add("text").Set("status", "generated").Set("div", tt.div)
			out := fhirxml.Append(nil, p)
			e, err := fhirxml.Decode(out, fhirxml.Options{})
			if err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			if len(e.Children) != 1 {
				t.Errorf("the narrative broke out: %s", out)
			}
			if got := e.Text("text", "div"); tt.want != "" && got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAppendBuilt(t *testing.T) {
	p := fhir.NewResource("Patient")
	p.Children = append(p.Children, &fhir.Element{Name: "new", Kind: fhir.String, Value: "x"})
	p.Add("name").Set("family", "a\xffb\u0001")
	p.Add("telecom") // stays empty
	p.Add("contact").Add("name").Add("given")
	p.Set("id", "p")
	want := `<Patient xmlns="http://hl7.org/fhir"><id value="p"/><name><family value="a` + "\ufffdb\ufffd" + `"/></name></Patient>`
	if diff := cmp.Diff(want, string(fhirxml.Append(nil, p))); diff != "" {
		t.Error(diff)
	}
	p.Children = append(p.Children[1:], p.Children[0]) // out of order
	if diff := cmp.Diff(want, string(fhirxml.Append(nil, p))); diff != "" {
		t.Error(diff)
	}
}
