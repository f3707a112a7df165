package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bundleOf makes a batch or transaction of entries, each "METHOD url" with an
// optional full URL before and resource after it:
//
//	urn:uuid:… POST Patient {"resourceType":"Patient"}
func bundleOf(kind string, entries ...string) string {
	var parts []string
	for _, e := range entries {
		full := ""
		if !strings.HasPrefix(e, "GET ") && !strings.HasPrefix(e, "POST ") && !strings.HasPrefix(e, "PUT ") &&
			!strings.HasPrefix(e, "DELETE ") && !strings.HasPrefix(e, "PATCH ") && !strings.HasPrefix(e, "HEAD ") && !strings.HasPrefix(e, "BREW ") {
			full, e, _ = strings.Cut(e, " ")
		}
		method, rest, _ := strings.Cut(e, " ")
		url, resource, _ := strings.Cut(rest, " ")
		if _, query, ok := strings.Cut(url, "!"); ok { // POST Patient!identifier=x: ifNoneExist
			url = strings.TrimSuffix(url, "!"+query)
			parts = append(parts, entry(full, resource, `{"method":"`+method+`","url":"`+url+`","ifNoneExist":"`+query+`"}`))
			continue
		}
		parts = append(parts, entry(full, resource, `{"method":"`+method+`","url":"`+url+`"}`))
	}
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(parts, ",") + `]}`
}

func entry(full, resource, request string) string {
	s := "{"
	if full != "" {
		s += `"fullUrl":"` + full + `",`
	}
	if resource != "" {
		s += `"resource":` + resource + ","
	}
	return s + `"request":` + request + "}"
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
