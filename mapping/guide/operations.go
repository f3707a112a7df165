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
		{code: "backup", name: "Backup", title: "バックアップの作成 Backup of the store", system: true, writes: true,
			about: "Lets an operator have the running server write a backup, as of the moment the job begins, into the folder it was started with: everything, or what came after an earlier backup. " +
				"It always runs as a stored job: the answer is 202 with a Content-Location to ask and to cancel by.",
			in: []parameter{{name: "name", min: "1", max: "1", typ: "string", about: "Name of the new file; one that is there is not replaced."},
				one("after", "string", "Name of the backup to go on after.")},
			out: []parameter{{name: "name", min: "1", max: "1", typ: "string", about: "Name of the file."},
				{name: "since", min: "1", max: "1", typ: "decimal", about: "The backup holds the changes after this one."},
				{name: "up-to", min: "1", max: "1", typ: "decimal", about: "The last change the backup holds."}}},
		{code: "purge", name: "Purge", title: "記録の完全な消去 Erasure for good", system: true, writes: true,
			about: "Lets an operator erase resources with all their versions, deleted or not, from the running server and its files. Backups still hold them. Each erasure is in the record of accesses. " +
				"It always runs as a stored job: the answer is 202 with a Content-Location to ask and to cancel by; what was erased before it was cancelled stays erased.",
			in: []parameter{{name: "resource", min: "1", max: "*", typ: "string", search: "reference", about: "Type/id of a resource."},
				one("history-only", "boolean", "Keep the current versions."),
				{name: "erase-for-good", min: "1", max: "1", typ: "boolean", about: "true, or nothing is erased."}},
			out: []parameter{{name: "resources", min: "1", max: "1", typ: "integer", about: "How many resources were erased."}}},
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
