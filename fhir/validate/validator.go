// Package validate checks resources against base R4 and profiles: structure,
// cardinality, types, formats, slicing, extensions, bindings, invariants,
// references, bundles, questionnaire responses and narrative.
//
//	v, err := validate.New(validate.Config{Resources: definitions})
//	issues := v.Validate(ctx, patient, validate.Options{Profiles: []string{url}, Source: data})
//
// Every problem becomes an issue with a FHIRPath expression, a line and a
// column, a severity and a message id, in English and Japanese. What cannot be
// checked here (a SNOMED CT code, a reference to another server) is never an
// error. https://hl7.org/fhir/R4/validation.html
package validate

import (
	"context"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// Config describes a Validator. The zero value checks against base R4.
type Config struct {
	// Resources are the definitions to know besides those of R4:
	// StructureDefinition, ValueSet, CodeSystem, Questionnaire, … They must
	// not be changed afterwards.
	Resources []*fhir.Element
	// Terminology answers questions about codes; by default a
	// terminology.Memory over R4 and Resources.
	Terminology terminology.Service
	// Resolve finds the target of a reference or canonical that is neither in
	// the resource nor in Resources. Nil finds nothing.
	Resolve func(ctx context.Context, reference string) (*fhir.Element, bool)
	// Now is the clock of invariants that ask for the time. Nil stops it at
	// the zero time.
	Now func() time.Time
	// UnknownExtensions is the severity of an extension nobody defines;
	// default Error, as the reference validator has it. An unknown modifier
	// extension is always an error.
	UnknownExtensions fhir.Severity
	// ExtensionDomains are URL prefixes of extensions accepted unseen.
	ExtensionDomains []string
	// RefuseExamples makes URLs of example domains (example.org, …) errors,
	// where they are otherwise accepted unseen.
	RefuseExamples bool
	// RefuseMarkup makes HTML tags inside strings errors.
	RefuseMarkup bool
}

// Options are those of one validation.
type Options struct {
	// Profiles are canonicals the resource must conform to, besides base R4
	// and its own meta.profile.
	Profiles []string
	// EntryProfiles are profiles that single entries of a Bundle must conform
	// to, for callers that expect a Bundle of a certain make.
	EntryProfiles []EntryProfile
	// NoImplied leaves out the profiles that R4 asks for because of a code, not
	// of meta.profile: the vital signs.
	NoImplied bool
	// Source is the text the resource was read from; it turns offsets into
	// lines and columns.
	Source []byte
}

// EntryProfile asks for a profile of the entry at Index, from 0, among the
// entries of a Bundle whose resource is of a type.
type EntryProfile struct {
	Type    string
	Index   int
	Profile string
}

// Validator checks resources. It is safe for concurrent use. Profiles are
// compiled on first use and kept.
type Validator struct {
	cfg     Config
	catalog *catalog
	tx      terminology.Service

	plans    sync.Map // *r4.Type → *plan
	profiles sync.Map // canonical → *profile, for the canonicals that exist
	types    sync.Map // canonical of a profile → name of the type it constrains
	compile  sync.Mutex
}

// New returns a Validator. The error is a fhir.Issues about resources in
// cfg.Resources that cannot be used.
func New(cfg Config) (*Validator, error) {
	v := &Validator{cfg: cfg, catalog: newCatalog(cfg.Resources), tx: cfg.Terminology}
	if v.tx == nil {
		v.tx = terminology.New(terminology.Config{Resources: cfg.Resources})
	}
	if v.cfg.UnknownExtensions == "" {
		v.cfg.UnknownExtensions = fhir.Error
	}
	return v, v.catalog.problems()
}

// Knows reports whether a profile can be checked: whether R4 or Resources
// have its StructureDefinition.
func (v *Validator) Knows(canonical string) bool {
	_, ok := v.catalog.structure(canonical)
	return ok
}

// Validate checks a resource and returns every issue found, in the order of
// the resource, each once.
func (v *Validator) Validate(ctx context.Context, resource *fhir.Element, opts Options) fhir.Issues {
	r := &run{v: v, ctx: ctx, source: opts.Source, noImplied: opts.NoImplied, tries: map[tryKey]bool{}}
	if resource.ResourceType() == "" {
		r.fail(fhir.Structure, "resource-type-unknown", fhir.Messagef(
			"This is not a resource of R4", "R4 のリソースではありません"))
		return r.issues
	}
	r.resource(resource, placement{profiles: opts.Profiles, entries: opts.EntryProfiles})
	return r.finish()
}
