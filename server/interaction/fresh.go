package interaction

import (
	"strconv"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// ParseETag reads the version in an ETag: W/"3", also written "3" or 3.
// https://hl7.org/fhir/R4/http.html#versioning
func ParseETag(s string) (version uint64, ok bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "W/")
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	version, err := strconv.ParseUint(s, 10, 64)
	return version, err == nil && version > 0 && s[0] != '0'
}

// ETag returns the ETag of a version: W/"3".
func ETag(version uint64) string { return `W/"` + strconv.FormatUint(version, 10) + `"` }

// Fresh reports whether a client that sent these headers has the version
// already. modifiedSince, zero where it was not sent, counts only without
// If-None-Match.
// https://www.rfc-editor.org/rfc/rfc9110#section-13.1
func Fresh(v store.Version, ifNoneMatch string, modifiedSince time.Time) bool {
	if ifNoneMatch != "" {
		for tag := range strings.SplitSeq(ifNoneMatch, ",") {
			if n, ok := ParseETag(tag); strings.TrimSpace(tag) == "*" || ok && n == v.Version {
				return true
			}
		}
		return false
	}
	return !modifiedSince.IsZero() && !v.Time.Truncate(time.Second).After(modifiedSince)
}
