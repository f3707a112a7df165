package validate_test

import (
	"os"
	"strings"
	"testing"
)

// readList reads a file of the form
//
//	key: reason
//		name
//		name
//
// into names by key.
func readList(t testing.TB, file string) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	key := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '\t':
			out[key] = append(out[key], strings.TrimSpace(line))
		default:
			var reason string
			if key, reason, _ = strings.Cut(line, ":"); strings.TrimSpace(reason) == "" {
				t.Fatalf("%s: %q has no reason", file, line)
			}
		}
	}
	return out
}
