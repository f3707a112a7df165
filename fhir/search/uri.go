package search

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// uriItem is one URI or canonical found in a resource.
// https://hl7.org/fhir/R4/search.html#uri
type uriItem struct{ url, version string }

func (x *extraction) uris(dst []uriItem, e *fhir.Element) []uriItem {
	if e.Kind == fhir.None || e.Value == "" {
		return dst
	}
	if e.Type.Name == "canonical" {
		return append(dst, canonical(e.Value))
	}
	return append(dst, uriItem{url: clean(e.Value)})
}

// canonical splits url|version; a fragment belongs to neither.
func canonical(s string) uriItem {
	url, version, _ := strings.Cut(clean(s), "|")
	url, _, _ = strings.Cut(url, "#")
	version, _, _ = strings.Cut(version, "#")
	return uriItem{url, version}
}

func (it *uriItem) keys(k *keys) {
	k.begin(kindURL)
	k.text(it.url).sep().text(it.version).end()
}

func (it *uriItem) matches(v *Value, m Modifier) bool {
	switch m {
	case ModifierUnequal:
		return !it.matches(v, ModifierNone)
	case ModifierBelow:
		return strings.HasPrefix(it.url, v.URL)
	case ModifierAbove:
		return it.url == v.URL || strings.HasPrefix(v.URL, strings.TrimSuffix(it.url, "/")+"/")
	}
	if it.url == v.URL {
		return true
	}
	url, version, ok := strings.Cut(v.URL, "|")
	return ok && url == it.url && version == it.version
}

func uriRanges(v *Value, m Modifier) []Range {
	switch m {
	case ModifierUnequal:
		return othersThan(uriRanges(v, ModifierNone), kindURL)
	case ModifierBelow:
		return []Range{startingWith(append([]byte{kindURL}, v.URL...))}
	case ModifierAbove:
		return uriAbove(v.URL)
	}
	ranges := []Range{anyVersion(v.URL)}
	if url, version, ok := strings.Cut(v.URL, "|"); ok {
		key := append(appendText([]byte{kindURL}, url), 0)
		ranges = append(ranges, exactly(appendText(key, version)))
	}
	return ranges
}

func anyVersion(url string) Range {
	return startingWith(append(appendText([]byte{kindURL}, url), 0))
}

// uriAbove looks for the URI and each of its ancestors by path segment, with
// and without a slash at the end.
func uriAbove(url string) []Range {
	ranges := []Range{anyVersion(url)}
	for i := range len(url) {
		if url[i] != '/' {
			continue
		}
		ranges = append(ranges, anyVersion(url[:i]))
		if i+1 < len(url) {
			ranges = append(ranges, anyVersion(url[:i+1]))
		}
	}
	return ranges
}

// versionMatches compares a canonical reference under :below, with those of the
// version asked for and its parts, or :above, with those it is a part of.
// https://hl7.org/fhir/R4/search.html#versions
func (it *uriItem) versionMatches(v *Value, m Modifier) bool {
	url, version, _ := strings.Cut(v.URL, "|")
	if m == ModifierBelow {
		return it.url == url && versionBelow(it.version, version)
	}
	return it.url == url && versionBelow(version, it.version)
}

// versionBelow reports whether a version is another one or a part of it, as 1.2
// is of 1 and all are of none.
func versionBelow(version, of string) bool {
	return of == "" || version == of || strings.HasPrefix(version, of+".")
}

func versionRanges(v *Value, m Modifier) []Range {
	url, version, _ := strings.Cut(v.URL, "|")
	key := append(appendText([]byte{kindURL}, url), 0)
	if m == ModifierBelow && version == "" {
		return []Range{startingWith(key)}
	}
	exact := func(version string) Range { return exactly(appendText(slices.Clip(key), version)) }
	ranges := []Range{exact(version)}
	if m == ModifierBelow {
		return append(ranges, startingWith(append(slices.Clip(key), version+"."...)))
	}
	for i := range len(version) {
		if version[i] == '.' {
			ranges = append(ranges, exact(version[:i]))
		}
	}
	return append(ranges, exact(""))
}

// parseURI reads a URI value.
func parseURI(raw string, m Modifier) (Value, string) {
	v := Value{Raw: unescape(raw)}
	v.URL = v.Raw
	if (m == ModifierBelow || m == ModifierAbove) && len(v.URL) > longest {
		return v, "the value is longer than a search may be"
	}
	return v, ""
}
