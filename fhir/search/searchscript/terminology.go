package searchscript

import (
	"errors"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// BaseURL is the service base the scripts are written for.
const BaseURL = "https://fhir.example.jp/r4"

// Options are what a registry must be made with to run every script. A server
// that has another base, no full text or another terminology runs the scripts
// that need nothing (see Script.Needs).
func Options() search.Options {
	return search.Options{BaseURL: BaseURL, FullText: true, Codes: Terminology{}}
}

// Terminology is the small terminology of the scripts: care levels as a
// hierarchy in http://example.jp/care.
//
//	any ⊃ support ⊃ support-1, support-2
//	any ⊃ care ⊃ care-1, care-2, care-3
//
// The value set http://example.jp/vs/light is support-1, support-2 and care-1,
// http://example.jp/vs/empty has no codes.
type Terminology struct{}

const careSystem = "http://example.jp/care"

var parents = map[string]string{
	"support": "any", "care": "any", "support-1": "support", "support-2": "support",
	"care-1": "care", "care-2": "care", "care-3": "care",
}

// Expand implements search.Codes.
func (Terminology) Expand(valueSet string) ([]search.Coding, error) {
	switch valueSet {
	case "http://example.jp/vs/light":
		return care("support-1", "support-2", "care-1"), nil
	case "http://example.jp/vs/empty":
		return nil, nil
	}
	return nil, errors.New("no such value set")
}

// Above implements search.Codes.
func (Terminology) Above(c search.Coding) ([]search.Coding, error) {
	if c.System != careSystem {
		return nil, errors.New("no such code system")
	}
	out := care(c.Code)
	for code, ok := parents[c.Code]; ok; code, ok = parents[code] {
		out = append(out, care(code)...)
	}
	return out, nil
}

// Below implements search.Codes.
func (Terminology) Below(c search.Coding) ([]search.Coding, error) {
	if c.System != careSystem {
		return nil, errors.New("no such code system")
	}
	out := care(c.Code)
	for code := range parents {
		for p, ok := parents[code]; ok; p, ok = parents[p] {
			if p == c.Code {
				out = append(out, care(code)...)
			}
		}
	}
	return out, nil
}

func care(codes ...string) []search.Coding {
	out := make([]search.Coding, len(codes))
	for i, c := range codes {
		out[i] = search.Coding{System: careSystem, Code: c}
	}
	return out
}
