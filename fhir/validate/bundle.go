package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// bundle finds the entries of a Bundle by reference.
// https://hl7.org/fhir/R4/bundle.html#references
type bundle struct {
	root    *fhir.Element
	outer   *bundle
	entries []bundleEntry
	byURL   map[string][]int
	urls    map[*fhir.Element]string // fullUrl by resource
}

type bundleEntry struct {
	entry, resource *fhir.Element
	fullURL         string
}

func newBundle(e *fhir.Element, outer *bundle) *bundle {
	b := &bundle{root: e, outer: outer, byURL: map[string][]int{}, urls: map[*fhir.Element]string{}}
	for entry := range e.All("entry") {
		k := bundleEntry{entry, entry.Get("resource"), entry.Text("fullUrl")}
		at := len(b.entries)
		b.entries = append(b.entries, k)
		if k.resource == nil {
			continue
		}
		b.urls[k.resource] = k.fullURL
		url := k.fullURL
		if url == "" {
			// Without a fullUrl the type and id are all there is.
			url = k.resource.ResourceType() + "/" + k.resource.ID()
		}
		b.byURL[url] = append(b.byURL[url], at)
	}
	return b
}

// find returns the resources a reference from an entry with that fullUrl
// leads to: by the fullUrl itself, or, for a relative reference, by the base
// of the fullUrl of the entry it stands in. From a UUID the base is
// "urn:uuid:", as the reference validator has it.
func (b *bundle) find(reference, from string) []*fhir.Element {
	reference, _, _ = strings.Cut(reference, "#")
	plain, version, _ := strings.Cut(reference, "/_history/")
	url := plain
	if !isAbsolute(plain) {
		if base, ok := restBase(from); ok {
			url = base + plain
		} else if _, id := typeAndID(plain); id != "" && strings.HasPrefix(from, "urn:uuid:") {
			url = "urn:uuid:" + id
		}
	}
	out := b.at(url, version)
	if len(out) == 0 && url != plain {
		out = b.at(plain, version)
	}
	if len(out) == 0 && b.outer != nil {
		return b.outer.find(reference, from)
	}
	return out
}

// at returns the resources with a fullUrl, two at most: more than one is a
// fault however many there are.
func (b *bundle) at(url, version string) []*fhir.Element {
	var out []*fhir.Element
	for _, i := range b.byURL[url] {
		res := b.entries[i].resource
		if version == "" || res.Text("meta", "versionId") == version {
			if out = append(out, res); len(out) == 2 {
				break
			}
		}
	}
	return out
}

// allows tells whether a reference has a form that can be resolved in the
// bundle: absolute, a fragment, Type/id, or a search in a transaction.
// https://hl7.org/fhir/R4/bundle.html#references
func (b *bundle) allows(text string) bool {
	if text == "" || text[0] == '#' || isAbsolute(text) || typeInURL("/"+text) != "" {
		return true
	}
	kind := b.root.Text("type")
	return strings.Contains(text, "?") && (kind == "transaction" || kind == "batch")
}

// restBase returns "http://server/fhir/" of "http://server/fhir/Patient/1".
func restBase(fullURL string) (string, bool) {
	t, id := typeAndID(fullURL)
	if t == "" || !strings.HasPrefix(fullURL, "http") {
		return "", false
	}
	plain, _, _ := strings.Cut(fullURL, "/_history/")
	return strings.TrimSuffix(plain, t+"/"+id), true
}

// bundle checks what Bundles ask beyond their invariants; the run stands on it.
func (r *run) bundle(e *fhir.Element) {
	b := r.frame.bundle
	kind := e.Text("type")
	for i, k := range b.entries {
		r.push(k.entry, i)
		r.fullURL(k, kind)
		if k.entry.Get("request") != nil && (kind == "transaction" || kind == "batch") {
			r.request(k)
		}
		r.pop()
	}
	r.entryParts(b, kind)
	if kind != "history" {
		r.uniqueEntries(b)
	}
	switch kind {
	case "document":
		r.document(b)
	case "message":
		r.message(b)
	case "searchset":
		r.searchset(b)
	case "transaction":
		r.uniqueRequests(b)
	}
}

// entryParts checks that entries have requests and responses just where the
// type of the bundle asks for them.
func (r *run) entryParts(b *bundle, kind string) {
	request := kind == "batch" || kind == "transaction" || kind == "history"
	response := kind == "batch-response" || kind == "transaction-response" || kind == "history"
	bad3, bad4 := false, false
	for _, k := range b.entries {
		bad3 = bad3 || (k.entry.Get("request") != nil) != request
		bad4 = bad4 || (k.entry.Get("response") != nil) != response
	}
	if bad3 {
		r.fail(fhir.Invariant, "bdl-3", fhir.Messagef(
			"All entries need a request in a batch, transaction or history, and none may have one otherwise", "batch, transaction, history ではすべてのエントリに request が必要で、それ以外では request を持てません"))
	}
	if bad4 {
		r.fail(fhir.Invariant, "bdl-4", fhir.Messagef(
			"All entries need a response in a batch-response, transaction-response or history, and none may have one otherwise", "batch-response, transaction-response, history ではすべてのエントリに response が必要で、それ以外では response を持てません"))
	}
}

// uniqueEntries checks that no two entries have the same fullUrl and version.
func (r *run) uniqueEntries(b *bundle) {
	seen := map[[2]string]bool{}
	for _, k := range b.entries {
		if k.fullURL == "" {
			continue
		}
		id := [2]string{k.fullURL, k.resource.Text("meta", "versionId")}
		if seen[id] {
			r.fail(fhir.Invariant, "bdl-7", fhir.Messagef(
				"Two entries have the same fullUrl and version", "fullUrl と版が同じエントリが二つあります"))
			return
		}
		seen[id] = true
	}
}

// entryProfiles checks the entries for which the caller asked for a profile.
func (r *run) entryProfiles(asked []EntryProfile) {
	for _, a := range asked {
		n := 0
		for i, k := range r.frame.bundle.all() {
			if k.resource.ResourceType() != a.Type {
				continue
			}
			if n == a.Index {
				r.push(k.entry, i)
				r.push(k.resource, fhir.NoIndex)
				r.enter(k.resource, placement{slot: "resource"})
				r.against(k.resource, a.Profile)
				r.leave()
				r.pop()
				r.pop()
			}
			n++
		}
	}
}

// all returns the entries, none of a nil bundle.
func (b *bundle) all() []bundleEntry {
	if b == nil {
		return nil
	}
	return b.entries
}

// fullURL checks the identity of an entry.
// https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl
func (r *run) fullURL(k bundleEntry, kind string) {
	if k.resource == nil {
		return
	}
	if k.fullURL == "" {
		outcome := k.resource.ResourceType() == "OperationOutcome" // has no identity
		if !outcome && kind != "transaction" && kind != "batch" && kind != "transaction-response" && kind != "batch-response" {
			r.fail(fhir.Required, "bundle-full-url", fhir.Messagef(
				"Except in transactions and batches an entry with a resource needs a fullUrl", "transaction と batch 以外では、リソースを持つエントリに fullUrl が必要です"))
		}
		return
	}
	if !isAbsolute(k.fullURL) {
		r.failAt(k.entry.Get("fullUrl"), fhir.Invalid, "bundle-full-url-absolute", fhir.Messagef(
			"The fullUrl must be absolute", "fullUrl は絶対 URL でなければなりません"))
		return
	}
	if !strings.HasPrefix(k.fullURL, "http") {
		return
	}
	if t, id := typeAndID(k.fullURL); t != "" && (t != k.resource.ResourceType() || id != k.resource.ID()) {
		r.failAt(k.entry.Get("fullUrl"), fhir.Invalid, "bundle-full-url-id", fhir.Messagef(
			"The fullUrl does not end with the type and id of the resource", "fullUrl の末尾がリソースの型と id に一致しません"))
	}
}

// request checks the request of a transaction or batch entry.
// https://hl7.org/fhir/R4/http.html#transaction
func (r *run) request(k bundleEntry) {
	q := k.entry.Get("request")
	method, url := q.Text("method"), q.Text("url")
	if (method == "POST" || method == "PUT") && k.resource == nil && !strings.Contains(url, "$") {
		r.fail(fhir.Required, "bundle-request-resource", fhir.Messagef(
			"A %s request needs a resource", "%s 要求にはリソースが必要です", method))
	}
	if k.resource == nil || url == "" || strings.Contains(url, "$") {
		return
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(url, "/"), "?")
	name, _, _ = strings.Cut(name, "/")
	if (method == "POST" || method == "PUT") && !isAbsolute(url) && name != k.resource.ResourceType() {
		r.failAt(q, fhir.Invalid, "bundle-request-url", fhir.Messagef(
			"The request is for %s but the resource is a %s", "要求は %s 宛てですがリソースは %s です", name, k.resource.ResourceType()))
	}
}

// uniqueRequests checks that a transaction does not change a resource twice.
func (r *run) uniqueRequests(b *bundle) {
	seen := map[string]bool{}
	for i, k := range b.entries {
		method, url := k.entry.Text("request", "method"), k.entry.Text("request", "url")
		if method == "PUT" || method == "PATCH" || method == "DELETE" {
			if url != "" && !strings.Contains(url, "?") && seen[url] {
				r.push(k.entry, i)
				r.fail(fhir.Duplicate, "bundle-request-twice", fhir.Messagef(
					"The transaction changes this resource twice", "一つの transaction で同じリソースを二度変更しています"))
				r.pop()
			}
			seen[url] = true
		}
	}
}

// searchset checks the results of a search.
// https://hl7.org/fhir/R4/search.html
func (r *run) searchset(b *bundle) {
	wanted := searchedType(b.root)
	for i, k := range b.entries {
		if k.resource == nil {
			continue
		}
		r.push(k.entry, i)
		mode := k.entry.Text("search", "mode")
		if k.resource.ID() == "" && k.resource.ResourceType() != "OperationOutcome" {
			r.fail(fhir.Required, "bundle-search-id", fhir.Messagef(
				"A search result needs an id", "検索結果のリソースには id が必要です"))
		}
		if mode == "outcome" && k.resource.ResourceType() != "OperationOutcome" {
			r.fail(fhir.Invalid, "bundle-search-outcome", fhir.Messagef(
				"An entry of mode outcome must be an OperationOutcome", "mode が outcome のエントリは OperationOutcome でなければなりません"))
		}
		if wanted != "" && mode == "match" && k.resource.ResourceType() != wanted {
			r.fail(fhir.Invalid, "bundle-search-type", fhir.Messagef(
				"The search was for %s but this match is a %s", "%s の検索ですが一致したリソースは %s です", wanted, k.resource.ResourceType()))
		}
		r.pop()
	}
}

// searchedType is the resource type in the self link of a search.
func searchedType(b *fhir.Element) string {
	for l := range b.All("link") {
		if l.Text("relation") != "self" {
			continue
		}
		url, _, search := strings.Cut(l.Text("url"), "?")
		name := url[strings.LastIndexByte(url, '/')+1:]
		if t, _ := typeAndID(name + "/x"); search && t == name {
			return name
		}
	}
	return ""
}
