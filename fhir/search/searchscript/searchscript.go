// Package searchscript is a small language for search cases, so that one set
// of cases runs against the oracle, every storage engine and the HTTP layer.
// Only tests import it. A script is lines of text:
//
//	# a comment
//	needs terminology
//	load Patient/p1 {"name": [{"family": "山田"}],
//	  "gender": "male"}
//	label Patient/p1 form=careplan author=o1 patients=p1,p2
//	caller types=Patient,CarePlan authors=o1 patients=p1
//	search Patient?name=やまだ&gender=male
//	expect p1
//
// needs names what an engine must have beyond a plain one (see Options). A line
// that begins with a blank goes on with the line before. load adds a
// resource, whose type and id come from its first word. label sets what the
// mandatory predicate looks at. caller narrows what the searches after it may
// see, one grant a line; "caller all" lifts it again. A query is written as
// people read it: blanks and non-ASCII letters are percent-encoded when it is
// sent, "%" and "+" are not. What expect may say:
//
//	expect p1 Practitioner/x   the matches, in any order; none where empty
//	expect CarePlan/c#x        a match that is contained in a resource
//	expect ordered p2 p1       the matches, in this order
//	expect total 3             the number of all matches
//	expect included Patient/p1 what _include and _revinclude add
//	expect unknown foo         the parameters that were not known
//	expect refused value http.birthdate   the query is refused with this issue
package searchscript

import (
	"embed"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

//go:embed testdata/*.txt
var files embed.FS

// Script is one file: resources and cases over them.
type Script struct {
	Name    string
	Records []*Record
	Cases   []*Case
	// Needs is what Options gives beyond a plain server: "terminology",
	// "fulltext", "base".
	Needs []string
}

// Record is a resource to load with its labels.
type Record struct {
	Resource *fhir.Element
	Labels   search.Labels
}

// Key returns "Type/id".
func (r *Record) Key() string { return r.Resource.ResourceType() + "/" + r.Resource.ID() }

// Case is one search and what it must give.
type Case struct {
	Line  int
	Type  string // "" for a search over all types
	Query string // percent-encoded
	Text  string // as written
	Must  search.Must
	Want  Want
}

// Want is what a case expects; nil fields are not looked at.
type Want struct {
	Matches  []string // "Type/id"
	Ordered  bool
	Total    *int64
	Included []string
	Unknown  []string
	Refused  *Refusal
}

// Refusal is the first issue of a query that is refused.
type Refusal struct{ Code, Expression string }

// All returns the scripts that come with the package, in order of their names.
func All() ([]*Script, error) {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var out []*Script
	for _, e := range entries {
		data, err := files.ReadFile("testdata/" + e.Name())
		if err != nil {
			return nil, err
		}
		s, err := Parse(strings.TrimSuffix(e.Name(), ".txt"), string(data))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Parse reads a script.
func Parse(name, text string) (*Script, error) {
	p := parser{script: &Script{Name: name}, byKey: map[string]*Record{}, must: search.Must{Unrestricted: true}}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		p.line = i + 1
		statement := strings.TrimRight(lines[i], " \r")
		for i+1 < len(lines) && (strings.HasPrefix(lines[i+1], " ") || strings.HasPrefix(lines[i+1], "\t")) {
			i++
			statement += "\n" + lines[i]
		}
		if statement == "" || statement[0] == '#' {
			continue
		}
		if err := p.statement(statement); err != nil {
			return nil, fmt.Errorf("%s.txt:%d: %w", name, p.line, err)
		}
	}
	return p.script, nil
}

// parser builds one Script.
type parser struct {
	script *Script
	byKey  map[string]*Record
	line   int
	must   search.Must
}

func (p *parser) statement(s string) error {
	verb, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "needs":
		p.script.Needs = append(p.script.Needs, strings.Fields(rest)...)
		return nil
	case "load":
		return p.load(rest)
	case "label":
		return p.label(rest)
	case "caller":
		return p.caller(rest)
	case "search":
		c := &Case{Line: p.line, Text: rest, Must: p.must}
		typ, query, _ := strings.Cut(rest, "?")
		c.Type, c.Query = typ, encode(query)
		p.script.Cases = append(p.script.Cases, c)
		return nil
	case "expect":
		return p.expect(rest)
	}
	return fmt.Errorf("%q is no statement", verb)
}

func (p *parser) load(rest string) error {
	key, body, _ := strings.Cut(rest, " ")
	typ, id, ok := strings.Cut(key, "/")
	body = strings.TrimSpace(body)
	if !ok || !strings.HasPrefix(body, "{") {
		return fmt.Errorf("load Type/id {…} is expected")
	}
	head := fmt.Sprintf(`{"resourceType":%q,"id":%q`, typ, id)
	if strings.TrimSpace(body[1:]) != "}" {
		head += ","
	}
	e, err := fhirjson.Decode([]byte(head+body[1:]), fhirjson.Options{})
	if err != nil {
		return err
	}
	if p.byKey[key] != nil {
		return fmt.Errorf("%s is loaded twice", key)
	}
	rec := &Record{Resource: e}
	p.byKey[key] = rec
	p.script.Records = append(p.script.Records, rec)
	return nil
}

func (p *parser) label(rest string) error {
	words := strings.Fields(rest)
	rec := p.byKey[words[0]]
	if rec == nil {
		return fmt.Errorf("%s is not loaded", words[0])
	}
	for _, w := range words[1:] {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "form":
			rec.Labels.Form = value
		case "author":
			rec.Labels.Author = value
		case "patients":
			rec.Labels.Patients = strings.Split(value, ",")
		default:
			return fmt.Errorf("%q is no label", name)
		}
	}
	return nil
}

func (p *parser) caller(rest string) error {
	if rest == "all" {
		p.must = search.Must{Unrestricted: true}
		return nil
	}
	p.must.Unrestricted = false
	if rest == "none" {
		p.must.Any = nil
		return nil
	}
	var g search.Grant
	for _, w := range strings.Fields(rest) {
		name, value, _ := strings.Cut(w, "=")
		list := strings.Split(value, ",")
		switch name {
		case "types":
			g.Types = list
		case "forms":
			g.Forms = list
		case "authors":
			g.Authors = list
		case "patients":
			g.Patients = newPatients(list)
		case "id":
			g.ID = value
		default:
			return fmt.Errorf("%q is no part of a grant", name)
		}
	}
	p.must.Any = append(p.must.Any[:len(p.must.Any):len(p.must.Any)], g)
	return nil
}

func (p *parser) expect(rest string) error {
	if len(p.script.Cases) == 0 {
		return fmt.Errorf("expect comes before any search")
	}
	c := p.script.Cases[len(p.script.Cases)-1]
	words := strings.Fields(rest)
	verb := ""
	if len(words) > 0 {
		verb = words[0]
	}
	switch verb {
	case "ordered":
		c.Want.Ordered = true
		c.Want.Matches = c.keys(words[1:])
	case "total":
		var n int64
		if _, err := fmt.Sscan(strings.Join(words[1:], " "), &n); err != nil {
			return err
		}
		c.Want.Total = &n
	case "included":
		c.Want.Included = c.keys(words[1:])
	case "unknown":
		c.Want.Unknown = words[1:]
	case "refused":
		c.Want.Refused = &Refusal{}
		if len(words) > 1 {
			c.Want.Refused.Code = words[1]
		}
		if len(words) > 2 {
			c.Want.Refused.Expression = words[2]
		}
	default:
		c.Want.Matches = c.keys(words)
	}
	return nil
}

// keys gives ids the type of the search. The slice is never nil.
func (c *Case) keys(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; !strings.Contains(w, "/") {
			out[i] = c.Type + "/" + w
		}
	}
	return out
}

// encode percent-encodes what may not stand in a URL.
func encode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// patients is a set of ids, sorted.
type patients []string
