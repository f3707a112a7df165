package interaction

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
)

// entry is one entry of a batch or transaction taken apart.
type entry struct {
	index    int
	method   string
	target   target
	request  *fhir.Element
	resource *fhir.Element
	fullURL  string
}

// readEntries takes a batch or transaction apart. Each entry has its own
// error; the last error is about the Bundle as a whole.
func (s *Service) readEntries(c *Call, bundle *fhir.Element) ([]entry, []error, error) {
	var list []entry
	var errs []error
	for e := range bundle.All("entry") {
		en, err := readEntry(c, len(list), e)
		list, errs = append(list, en), append(errs, err)
	}
	if len(list) > s.cfg.Options.MaxEntries {
		return nil, nil, Refuse(TooLarge, fhir.TooCostly, "bundle-too-large", fhir.Messagef(
			"the Bundle has more than %d entries", "Bundle のエントリが %d 件を超えています", s.cfg.Options.MaxEntries))
	}
	return list, errs, nil
}

func readEntry(c *Call, index int, e *fhir.Element) (entry, error) {
	en := entry{index: index, request: e.Get("request"), resource: e.Get("resource"), fullURL: e.Text("fullUrl")}
	if en.resource != nil {
		en.resource = asRoot(en.resource)
	}
	if en.request == nil {
		return en, entryProblem(index, "", fhir.Required, "request-missing", fhir.Messagef(
			"the entry has no request", "エントリに request がありません"))
	}
	en.method = en.request.Text("method")
	var err error
	if en.target, err = parseTarget(c.Base, en.request.Text("url")); err != nil {
		return en, AsRefusal(err).at(fmt.Sprintf("Bundle.entry[%d].request.url", index))
	}
	return en, en.checkMethod()
}

// asRoot returns the resource of an entry as a root of its own; the tree below
// is shared.
func asRoot(e *fhir.Element) *fhir.Element {
	root := *e
	root.Name, root.Def, root.List = "", nil, false
	return &root
}

// checkMethod refuses methods R4 does not have, or without what they need.
func (en *entry) checkMethod() error {
	needs := false
	switch en.method {
	case "GET", "HEAD", "DELETE":
	case "PUT", "PATCH":
		needs = true
	case "POST":
		needs = en.target.Operation == "" && !en.target.Search
	default:
		return entryProblem(en.index, ".request.method", fhir.CodeInvalid, "method-invalid", fhir.Messagef(
			"the request method must be GET, HEAD, POST, PUT, PATCH or DELETE",
			"request.method は GET・HEAD・POST・PUT・PATCH・DELETE のいずれかでなければなりません"))
	}
	if needs && en.resource == nil {
		return entryProblem(en.index, ".resource", fhir.Required, "resource-missing", fhir.Messagef(
			"a %s entry needs a resource", "%s のエントリには resource が必要です", en.method))
	}
	return nil
}

func entryProblem(index int, below string, code fhir.Code, id string, m fhir.Message) error {
	return RefuseAll(BadRequest, fhir.Issues{{Severity: fhir.Error, Code: code, ID: id, Message: m,
		Expression: fmt.Sprintf("Bundle.entry[%d]%s", index, below)}})
}

// reads reports whether the entry changes nothing.
func (en *entry) reads() bool {
	return en.method == "GET" || en.method == "HEAD" || en.target.Search || en.target.Operation != ""
}

// change returns the write an entry asks for.
func (en *entry) change() (change, error) {
	t := en.target
	ch := change{key: t.key(), resource: en.resource, entry: en.index, fullURL: en.fullURL}
	if t.Type == "" || t.History || t.Version != "" || t.Member != "" || t.Metadata || en.method == "POST" && t.ID != "" {
		return ch, AsRefusal(badTarget()).at(fmt.Sprintf("Bundle.entry[%d].request.url", en.index))
	}
	if t.ID == "" && en.method != "POST" {
		ch.criteria = &t.Query
	}
	if err := en.conditions(&ch); err != nil {
		return ch, err
	}
	switch en.method {
	case "POST":
		ch.verb = verbCreate
		if q := en.request.Text("ifNoneExist"); q != "" {
			q = strings.TrimPrefix(q, "?")
			q = strings.TrimPrefix(q, t.Type+"?")
			ch.criteria = &q
		}
	case "PUT":
		ch.verb = verbUpdate
	case "DELETE":
		ch.verb, ch.resource = verbDelete, nil
	case "PATCH":
		ch.verb, ch.resource = verbPatch, nil
		p, err := PatchOf(en.resource)
		if err != nil {
			return ch, AsRefusal(err).at(fmt.Sprintf("Bundle.entry[%d]", en.index))
		}
		ch.patch = p
	}
	return ch, nil
}

// conditions reads ifMatch and ifNoneMatch of a write.
func (en *entry) conditions(ch *change) error {
	if tag := en.request.Text("ifMatch"); tag != "" {
		v, ok := ParseETag(tag)
		if !ok {
			return entryProblem(en.index, ".request.ifMatch", fhir.Value, "etag-invalid", fhir.Messagef(
				`ifMatch must be an ETag such as W/"3"`, `ifMatch は W/"3" のような ETag でなければなりません`))
		}
		ch.ifMatch = &v
	}
	ch.ifNone = en.request.Text("ifNoneMatch") == "*" && en.method == "PUT"
	return nil
}

// PatchOf returns the patch a resource stands for in a Bundle: Parameters for
// a FHIRPath Patch, Binary for a JSON Patch or Merge Patch.
func PatchOf(resource *fhir.Element) (Patch, error) {
	switch resource.ResourceType() {
	case "Parameters":
		return func(current *fhir.Element) (*fhir.Element, error) {
			return patched(patch.FHIRPath(current, resource))
		}, nil
	case "Binary":
		data, err := base64.StdEncoding.DecodeString(resource.Text("data"))
		if err == nil {
			return PatchFrom(resource.Text("contentType"), data)
		}
	}
	return nil, badPatchFormat()
}

// PatchFrom returns the patch in a body of a media type, parameters cut off;
// FHIRPath Patch comes as a resource, to PatchOf.
func PatchFrom(mediaType string, data []byte) (Patch, error) {
	switch mediaType {
	case "application/json-patch+json":
		return func(current *fhir.Element) (*fhir.Element, error) { return patched(patch.JSON(current, data)) }, nil
	case "application/merge-patch+json":
		return func(current *fhir.Element) (*fhir.Element, error) { return patched(patch.Merge(current, data)) }, nil
	}
	return nil, badPatchFormat()
}

func badPatchFormat() *Refusal {
	return Refuse(BadRequest, fhir.NotSupported, "patch-format", fhir.Messagef(
		"a patch is a Parameters resource, or a Binary with a JSON Patch or Merge Patch",
		"パッチは Parameters リソース、または JSON Patch / Merge Patch を含む Binary でなければなりません"))
}

// patched gives a patch that cannot be applied its reason.
func patched(e *fhir.Element, err error) (*fhir.Element, error) {
	issues, ok := err.(fhir.Issues) //nolint:errorlint // the contract of package patch
	if !ok {
		return e, err
	}
	for _, i := range issues {
		if i.ID == "patch-syntax" {
			return nil, RefuseAll(BadRequest, issues)
		}
	}
	return nil, RefuseAll(Unacceptable, issues)
}
