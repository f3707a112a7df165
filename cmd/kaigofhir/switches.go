package main

import (
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// matrixWith returns the sharing matrix with switches set: "name" or
// "name=true" turns one on, "name=false" off.
func matrixWith(switches []string) (*sharing.Matrix, error) {
	settings := map[string]bool{}
	for _, s := range switches {
		name, value, given := strings.Cut(s, "=")
		if given && value != "true" && value != "false" {
			return nil, fmt.Errorf("switch %q: the value is true or false", s)
		}
		settings[name] = value != "false"
	}
	return sharing.National().With(settings)
}
