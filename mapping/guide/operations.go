package guide

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// operation is the definition of an operation that R4 does not have.
// https://hl7.org/fhir/R4/operationdefinition.html
type operation struct {
	code, name, title, about string
	resources                []string // none: at the system level
	system, onType, instance bool
	writes                   bool
	in, out                  []parameter
}

type parameter struct {
	name, min, max, typ, about string
	search                     string // search type of a string
	parts                      []parameter
}

// operations are the server's own, at the canonicals its CapabilityStatement
// names.
func operations() []operation {
	version := func(name, about string) parameter {
		return parameter{name: name, min: "0", max: "1", typ: "positiveInt", about: about}
	}
	uris := func(name, about string) parameter {
		return parameter{name: name, min: "0", max: "*", typ: "uri", about: about}
	}
	one := func(name, typ, about string) parameter {
		return parameter{name: name, min: "0", max: "1", typ: typ, about: about}
	}
	return []operation{
		{code: "intake", name: "Intake", title: "介護ソフトのファイルの取り込み Intake of files", system: true, writes: true,
			about: "Takes the files care software writes, as they are (multipart/form-data or text/csv), maps them and stores the result as one transaction in the sender's name, or nothing. " +
				"People are found by their insured number, also those the sender does not see; a file whose birth month or gender does not fit is refused.",
			in:  []parameter{{name: "file", min: "1", max: "*", typ: "Binary", about: "A file; in multipart/form-data one part each."}},
			out: []parameter{{name: "return", min: "1", max: "1", typ: "Bundle", about: "The transaction-response; with warnings of single rows in the outcome of its first entry."}}},
		{code: "sharing", name: "Sharing", title: "組織が閲覧できる様式 What an organisation may see", resources: []string{"Organization"}, instance: true,
			about: "Tells form by form what the organisation may see of a person's records made by others, and by which rules. The organisation itself may ask, the person, and the operator.",
			in:    []parameter{{name: "patient", min: "1", max: "1", typ: "string", search: "reference", about: "The person: Patient/id or id."}},
			out: []parameter{{name: "form", min: "0", max: "*", about: "One for each form of the sharing matrix.", parts: []parameter{
				{name: "code", min: "1", max: "1", typ: "code", about: "Code of the form in the code system care-form."},
				{name: "display", min: "1", max: "1", typ: "string", about: "Name of the form."},
				{name: "visible", min: "1", max: "1", typ: "boolean", about: "Whether the organisation sees it."},
				one("effect", "code", "The matrix's cell: author, shared, consent or none."),
				{name: "rule", min: "0", max: "*", typ: "code", about: "A rule that led to the answer: R1 to R36."}}}}},
		{code: "diff", name: "Diff", title: "版の差分 Difference of versions", resources: []string{"Resource"}, instance: true,
			about: "What changed between two versions of a resource, both of which the caller must be allowed to see, as a FHIRPath Patch.",
			in:    []parameter{version("from", "The older version; the one before \"to\" where it is not given."), version("to", "The newer version; the current one where it is not given.")},
			out:   []parameter{{name: "return", min: "1", max: "1", typ: "Parameters", about: "The patch that makes the newer version of the older."}}},
		{code: "reindex", name: "Reindex", title: "検索パラメータの状態 State of search parameters", resources: []string{"SearchParameter"}, onType: true,
			about: "Tells the operator which search parameters of its own are in force, which are being indexed, and how far that is.",
			out: []parameter{uris("in-force", "Canonical of a parameter that searches use."), uris("pending", "Canonical of a parameter that is being indexed."),
				one("state", "code", "State of the indexing."), one("done", "decimal", "Resources indexed."), one("total", "decimal", "Resources to index.")}},
	}
}

func (o *operation) resource() *fhir.Element {
	yes := func(b bool) string { return map[bool]string{true: "true", false: "false"}[b] }
	r := head("OperationDefinition", care.Canonical+"/OperationDefinition/"+o.code, o.name, o.title)
	r.Set("kind", "operation").Set("description", o.about).Set("affectsState", yes(o.writes)).Set("code", o.code)
	for _, t := range o.resources {
		r.Add("resource").SetValue(t)
	}
	r.Set("system", yes(o.system)).Set("type", yes(o.onType)).Set("instance", yes(o.instance))
	for _, p := range o.in {
		p.add(r.Add("parameter"), "in")
	}
	for _, p := range o.out {
		p.add(r.Add("parameter"), "out")
	}
	return r
}

func (p *parameter) add(e *fhir.Element, use string) {
	e.Set("name", p.name).Set("use", use).Set("min", p.min).Set("max", p.max).Set("documentation", p.about)
	if p.typ != "" {
		e.Set("type", p.typ)
	}
	if p.search != "" {
		e.Set("searchType", p.search)
	}
	for _, part := range p.parts {
		part.add(e.Add("part"), use)
	}
}
