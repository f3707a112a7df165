package fhirxml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// patient wraps children into a Patient, so that they begin in line 2, column 1.
func patient(children string) string {
	return "<Patient xmlns=\"http://hl7.org/fhir\">\n" + children + "</Patient>"
}

// narrative wraps the content of a div into a Patient.
func narrative(content string) string {
	return patient("<text><status value='generated'/>\n<div xmlns='http://www.w3.org/1999/xhtml'>" + content + "</div></text>")
}

// TestRefuse shows each thing the reader refuses, with the issues as
// "line:column id expression".
func TestRefuse(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
	}{
		{"no text", ``, []string{"1:1 xml-syntax "}},
		{"no element", `{"resourceType":"Patient"}`, []string{"1:1 xml-syntax "}},
		{"document type", `<!DOCTYPE Patient>` + patient(``), []string{"1:1 xml-doctype "}},
		{"entity", "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + patient(`<id value="&x;"/>`), []string{"2:1 xml-doctype "}},
		{"document type inside", patient(`<!DOCTYPE a>`), []string{"2:1 xml-doctype Patient"}},
		{"unknown entity", patient(`<id value="a&nbsp;"/>`), []string{"2:13 xml-syntax Patient"}},
		{"unknown entity in a narrative", narrative(`a &nbsp; b`), []string{"3:45 xml-syntax Patient.text.div"}},
		{"reference to NUL", patient(`<id value="&#0;"/>`), []string{"2:12 xml-syntax Patient"}},
		{"reference to a surrogate", patient(`<id value="&#xD800;"/>`), []string{"2:12 xml-syntax Patient"}},
		{"reference beyond Unicode", patient(`<id value="&#x110000;"/>`), []string{"2:12 xml-syntax Patient"}},
		{"other encoding", `<?xml version="1.0" encoding="Shift_JIS"?>` + patient(``), []string{"1:1 xml-syntax "}},
		{"not UTF-8", patient("<id value='あ\xff'/>"), []string{"2:13 xml-utf8 "}},
		{"control character", patient("<id value='\x01'/>"), []string{"2:12 xml-character "}},
		{"cut off", `<Patient xmlns="http://hl7.org/fhir"><name>`, []string{"1:44 xml-syntax Patient.name[0]"}},
		{"cut off in a tag", `<Patient xmlns="http://hl7.org/fhir"`, []string{"1:1 xml-syntax "}},
		{"wrong end tag", patient(`<name><text value="a"/></nmae>`), []string{"2:24 xml-syntax Patient.name[0]"}},
		{"attribute twice", patient(`<id value="a" value="b"/>`), []string{"2:15 xml-syntax Patient"}},
		{"no quotes", patient(`<id value=a/>`), []string{"2:11 xml-syntax Patient"}},
		{"< in a value", patient(`<id value="<"/>`), []string{"2:12 xml-syntax Patient"}},
		{"attributes without space", patient(`<name id="a"value="b"/>`), []string{"2:13 xml-syntax Patient"}},
		{"attribute without value", patient(`<id value/>`), []string{"2:10 xml-syntax Patient"}},
		{"attribute value without end", patient(`<id value="a/>`), []string{"2:11 xml-syntax Patient"}},
		{"bad attribute name", patient(`<id 1="a"/>`), []string{"2:5 xml-syntax Patient"}},
		{"undeclared attribute prefix", patient(`<id f:value="a"/>`), []string{"2:5 xml-syntax Patient"}},
		{"bad tag name", patient(`<1/>`), []string{"2:2 xml-syntax Patient"}},
		{"two colons", patient(`<a:b:c/>`), []string{"2:2 xml-syntax Patient"}},
		{"end tag with an attribute", patient(`<name></name a="b">`), []string{"2:7 xml-syntax Patient.name[0]"}},
		{"end tag without name", patient(`<name></>`), []string{"2:9 xml-syntax Patient.name[0]"}},
		{"end tag too many", patient(``) + `</Patient>`, []string{"2:11 xml-syntax Patient"}},
		{"comment without end", patient(`<!-- a`), []string{"2:1 xml-syntax Patient"}},
		{"comment with --", patient(`<!-- a -- b -->`), []string{"2:1 xml-syntax Patient"}},
		{"instruction without end", patient(`<?a`), []string{"2:1 xml-syntax Patient"}},
		{"character data without end", patient(`<![CDATA[a`), []string{"2:1 xml-syntax Patient"}},
		{"]]> in text", patient(`a ]]> b`), []string{"1:38 xml-syntax Patient"}},
		{"bad reference in text", patient(`&a b`), []string{"2:1 xml-syntax Patient"}},
		{"bad digit in a reference", patient(`<id value="&#1a;"/>`), []string{"2:12 xml-syntax Patient"}},
		{"bad hexadecimal digit in a reference", patient(`<id value="&#x1g;"/>`), []string{"2:12 xml-syntax Patient"}},
		{"reference without digits", patient(`<id value="&#x;"/>`), []string{"2:12 xml-syntax Patient"}},
		{"declaration in the middle", patient(`<?xml version="1.0"?>`), []string{"2:1 xml-syntax Patient"}},
		{"narrative leans on a prefix outside", `<Patient xmlns="http://hl7.org/fhir" xmlns:x="urn:x"><text><status value="empty"/>` + "\n" + `<div xmlns="http://www.w3.org/1999/xhtml" x:a="b"/></text></Patient>`, []string{"2:43 xml-syntax Patient.text.div"}},
		{"undeclared prefix", patient(`<f:id value="a"/>`), []string{"2:2 xml-syntax Patient"}},
		{"second resource", patient(``) + `<Patient/>`, []string{"2:11 xml-syntax Patient"}},
		{"text after", patient(``) + `a`, []string{"2:11 xml-syntax Patient"}},
		{"unknown resource type", `<Patent xmlns="http://hl7.org/fhir"/>`, []string{"1:1 resource-type-unknown "}},
		{"data type", `<HumanName xmlns="http://hl7.org/fhir"/>`, []string{"1:1 resource-type-unknown "}},
		{"no namespace", `<Patient/>`, []string{"1:1 xml-namespace "}},
		{"wrong namespace", patient(`<id xmlns="urn:x" value="a"/><active value="true"/>`), []string{"2:1 xml-namespace Patient"}},
		{"narrative in the wrong namespace", patient(`<text><status value="empty"/><div>a</div></text>`), []string{"2:30 xml-namespace Patient.text"}},
		{"foreign element in a narrative", narrative(`<p xmlns="urn:x"/>`), []string{"3:43 xml-syntax Patient.text.div"}},
		{"unknown element", patient(`<nmae><text value="a"><b/></text></nmae><name><txt/></name>`), []string{"2:1 element-unknown Patient.nmae", "2:41 xml-empty Patient.name[0]", "2:47 element-unknown Patient.name[0].txt"}},
		{"unknown attribute", patient(`<active valeu="true" value="true"/><name value="a"/>`), []string{"2:9 element-unknown Patient.active", "2:36 xml-empty Patient.name[0]", "2:42 element-unknown Patient.name[0]"}},
		{"id of a resource as attribute", `<Patient xmlns="http://hl7.org/fhir" id="a"/>`, []string{"1:38 element-unknown Patient"}},
		{"url as element", patient(`<extension><url value="a"/><valueCode value="b"/></extension>`), []string{"2:12 element-unknown Patient.extension[0].url"}},
		{"text", patient("a<name>b<text value='c'/>d</name>"), []string{"2:1 xml-text Patient", "2:8 xml-text Patient.name[0]"}},
		{"character data", patient("<![CDATA[a]]>"), []string{"2:1 xml-text Patient"}},
		{"order", patient("<birthDate value='1940'/>\n<name><text value='a'/></name>"), []string{"3:1 xml-order Patient.name"}},
		{"repetitions apart", patient("<name><text value='a'/></name><gender value='male'/>\n<name><text value='a'/></name>"), []string{"3:1 xml-order Patient.name"}},
		{"repeated", patient("<birthDate value='1940'/>\n<birthDate value='1941'/>"), []string{"3:1 xml-repeated Patient.birthDate"}},
		{"two types of a choice", patient("<deceasedBoolean value='true'/>\n<deceasedDateTime value='2020'/>"), []string{"3:1 xml-choice Patient.deceased"}},
		{"no content", patient("<active/>\n<name></name><contact><name> </name></contact>"), []string{"2:1 xml-empty Patient.active", "3:1 xml-empty Patient.name[0]", "3:23 xml-empty Patient.contact[0].name"}},
		{"empty value", patient("<id value=''/>"), []string{"2:5 xml-empty Patient.id"}},
		{"no number", patient("<multipleBirthInteger value='+2'/>"), []string{"2:23 xml-value Patient.multipleBirth"}},
		{"no boolean", patient("<active value='1'/>"), []string{"2:9 xml-value Patient.active"}},
		{"empty slot", patient("<contained/>"), []string{"2:1 xml-empty Patient.contained[0]"}},
		{"two resources in a slot", patient("<contained><Basic/><Basic/></contained>"), []string{"2:20 xml-repeated Patient.contained[0]"}},
		{"unknown resource in a slot", patient("<contained><Basic/></contained><contained><X/></contained>"), []string{"2:43 resource-type-unknown Patient.contained[1]"}},
		{"text in a slot", patient("<contained>a<Basic/></contained>"), []string{"2:12 xml-text Patient.contained[0]"}},
		{"attribute of a slot", patient("<contained id='a'><Basic/></contained>"), []string{"2:12 element-unknown Patient.contained[0]"}},
		{"index", patient("<name><given value='a'/><given value='b'/><given/></name>"), []string{"2:43 xml-empty Patient.name[0].given[2]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := fhirxml.Decode([]byte(tt.source), fhirxml.Options{})
			if e != nil {
				t.Error("a resource came back with the error")
			}
			if diff := cmp.Diff(tt.want, lines(t, err)); diff != "" {
				t.Errorf("issues differ (-want +got):\n%s", diff)
			}
		})
	}
}

// lines returns issues as "line:column id expression".
func lines(t *testing.T, err error) []string {
	t.Helper()
	var issues fhir.Issues
	if !errors.As(err, &issues) {
		t.Fatalf("error is %v, want issues", err)
	}
	var out []string
	for _, i := range issues {
		if i.Message.En == "" || i.Message.Ja == "" || i.Message.En == i.Message.Ja || strings.Contains(i.Message.En+i.Message.Ja, "%!") {
			t.Errorf("%s: message %+v", i.ID, i.Message)
		}
		out = append(out, fmt.Sprintf("%d:%d %s %s", i.Line, i.Column, i.ID, i.Expression))
	}
	return out
}

func TestLimits(t *testing.T) {
	deep := func(n int) string {
		return patient(strings.Repeat(`<extension url="u">`, n) + `<valueCode value="a"/>` + strings.Repeat("</extension>", n))
	}
	if _, err := fhirxml.Decode([]byte(deep(62)), fhirxml.Options{}); err != nil {
		t.Errorf("62 extensions: %v", err)
	}
	for _, tt := range []struct {
		name, source string
		opts         fhirxml.Options
		want         string
	}{
		{"depth", deep(64), fhirxml.Options{}, "limit-depth"},
		{"depth of unknown content", patient(strings.Repeat("<a>", 100_000)), fhirxml.Options{}, "limit-depth"},
		{"depth of a narrative", narrative(strings.Repeat("<b>", 100_000)), fhirxml.Options{}, "xml-syntax"},
		{"many attributes", patient("<name" + numbered(" a%d='b'", 100_000) + "/>"), fhirxml.Options{}, "xml-syntax"},
		{"namespaces", patient(numbered("<name xmlns:a%d='b'>", 100)), fhirxml.Options{}, "xml-syntax"},
		{"size", patient(`<active value="true"/>`), fhirxml.Options{MaxBytes: 20}, "limit-bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fhirxml.Decode([]byte(tt.source), tt.opts)
			var issues fhir.Issues
			if !errors.As(err, &issues) || issues[len(issues)-1].ID != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// numbered repeats a format with a running number.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestAnyOrder(t *testing.T) {
	const mixed = `<Patient xmlns="http://hl7.org/fhir"><birthDate value="1940"/><name><text value="a"/></name><active value="true"/><name><text value="b"/></name></Patient>`
	if _, err := fhirxml.Decode([]byte(mixed), fhirxml.Options{}); err == nil {
		t.Error("elements out of order were taken")
	}
	r, err := fhirxml.Decode([]byte(mixed), fhirxml.Options{AnyOrder: true})
	if err != nil {
		t.Fatal(err)
	}
	const want = `<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><text value="a"/></name><name><text value="b"/></name><birthDate value="1940"/></Patient>`
	if got := string(fhirxml.Append(nil, r)); got != want {
		t.Errorf("got %s", got)
	}
}
