package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Validation says how resources that are written are checked. Base R4 is
// always enforced.
type Validation string

// The ways to treat the profiles a resource claims in meta.profile, and those
// R4 asks for by code (vital signs).
const (
	EnforceProfiles Validation = ""     // a breach is refused
	WarnOfProfiles  Validation = "warn" // a breach is told as a warning
	NoProfiles      Validation = "off"  // profiles are not looked at
	// Lenient is NoProfiles for generic FHIR tools: rules that published
	// examples of R4 themselves break are only warned of.
	Lenient Validation = "lenient"
)

// broken are the rules that published examples of R4 break.
var broken = []string{
	"canonical-relative", "reference-type", "bundle-full-url-id", "uri-oid", "identifier-uri", "tx-code-unknown",
	"extension-part-unknown", "ele-1", "txt-2", "que-7",
}

// knowledge is what the server knows of definitions and codes: R4 and the
// guide of long-term care.
type knowledge struct {
	guide     []*fhir.Element
	terms     *terminology.Memory
	validator *validate.Validator
	profiles  Validation
}

func (cfg *Config) knowledge() (*knowledge, error) {
	var guide []*fhir.Element
	for _, url := range care.URLs("") {
		data, _ := care.Resource(url)
		e, err := fhirjson.Decode(data, fhirjson.Options{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		guide = append(guide, e)
	}
	guide = append(guide, cfg.Definitions...)
	terms := terminology.New(terminology.Config{Resources: guide})
	v, err := validate.New(validate.Config{Resources: guide, Terminology: terms, Now: cfg.Now, UnknownExtensions: fhir.Warning})
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	return &knowledge{guide: guide, terms: terms, validator: v, profiles: cfg.Validation}, nil
}

// Validate checks a resource that is about to be written.
func (k *knowledge) Validate(ctx context.Context, resource *fhir.Element) fhir.Issues {
	if k.profiles == EnforceProfiles {
		return k.validator.Validate(ctx, resource, validate.Options{})
	}
	bare := *resource
	bare.Children = withoutProfile(resource.Children)
	issues := k.validator.Validate(ctx, &bare, validate.Options{NoImplied: true})
	switch {
	case k.profiles == Lenient:
		return warn(issues, func(i fhir.Issue) bool { return slices.Contains(broken, i.ID) })
	case k.profiles == NoProfiles || issues.HasErrors():
		return issues
	}
	issues = k.validator.Validate(ctx, resource, validate.Options{})
	return warn(issues, func(fhir.Issue) bool { return true })
}

// warn makes warnings of the errors chosen.
func warn(issues fhir.Issues, chosen func(fhir.Issue) bool) fhir.Issues {
	for i := range issues {
		if (issues[i].Severity == fhir.Error || issues[i].Severity == fhir.Fatal) && chosen(issues[i]) {
			issues[i].Severity = fhir.Warning
		}
	}
	return issues
}

// withoutProfile returns the children with a meta that claims no profile.
func withoutProfile(children []*fhir.Element) []*fhir.Element {
	list := make([]*fhir.Element, 0, len(children))
	for _, c := range children {
		if c.Name == "meta" {
			c = c.Clone()
			c.Remove("profile")
		}
		list = append(list, c)
	}
	return list
}

// registry returns the search parameters in force.
func (cfg *Config) registry(k *knowledge, custom ...*fhir.Element) (*search.Registry, error) {
	r, err := search.New(search.Options{BaseURL: cfg.BaseURL, Now: cfg.Now, Terminology: k.terms, FullText: !cfg.NoFullText}, custom...)
	if err != nil {
		return nil, fmt.Errorf("search parameters: %w", err)
	}
	return r, nil
}
