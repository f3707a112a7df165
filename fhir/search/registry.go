package search

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// Options are what a registry needs to know about the server.
type Options struct {
	// BaseURL is the server's own service base; absolute references below it
	// are local. "" for none.
	BaseURL string
	// Zone is where dates without a zone are meant; nil is Japan (+09:00).
	Zone *time.Location
	// Now serves the prefix ap on dates. Without it, ap only looks for overlap.
	Now func() time.Time
	// Terminology serves :in, :not-in, :above and :below on tokens, which are
	// refused without it. What is stored is known besides; see Registry.With.
	Terminology *terminology.Memory
	// FullText indexes the narrative and all text of resources for _text and
	// _content, which are refused without it: it doubles the index.
	FullText bool
	// MaxChain bounds the links of a chain and of nested _has; 0 is 8.
	MaxChain int
}

// Japan is the time zone of dates that have none.
func Japan() *time.Location { return time.FixedZone("JST", 9*60*60) }

// registryState is what a Registry is made of.
type registryState struct {
	opts       Options
	custom     map[string][]*Parameter // by resource type
	mu         *sync.Mutex             // guards parameters
	parameters map[*r4.SearchParameter]*Parameter
	tables     map[string]*table // one for each resource type; never changed
	typeParam  *Parameter        // _type
	units      *units
	systems    *systems
	scratch    *sync.Pool // of *extraction
	find       Find       // of one request; nil: nothing that is stored
	// olderKeys: see OfOlderKeys.
	olderKeys bool
}

// table is the parameters of a resource type, compiled when first asked for.
type table struct {
	once   sync.Once
	params []*bound // sorted by code
	byCode map[string]*bound
}

// bound is a parameter compiled for a resource type.
type bound struct {
	*Parameter
	path  path
	parts []*bound // of a composite
}

// NewRegistry returns a registry of the base parameters and the custom ones,
// given as SearchParameter resources, for a server in Japan without options.
func NewRegistry(custom ...*fhir.Element) (*Registry, error) { return New(Options{}, custom...) }

// New returns a registry of the base parameters and the custom ones, given as
// SearchParameter resources. A custom parameter must not have the code of
// another one of its types. The error is a fhir.Issues.
func New(opts Options, custom ...*fhir.Element) (*Registry, error) {
	if opts.Zone == nil {
		opts.Zone = Japan()
	}
	opts.BaseURL = strings.TrimSuffix(opts.BaseURL, "/")
	if opts.MaxChain == 0 {
		opts.MaxChain = 8
	}
	r := &Registry{registryState{
		opts: opts, custom: map[string][]*Parameter{}, mu: &sync.Mutex{},
		parameters: map[*r4.SearchParameter]*Parameter{}, tables: map[string]*table{},
		units: newUnits(), systems: newSystems(),
		// R4 has no SearchParameter for _type.
		typeParam: &Parameter{SearchParameter: &r4.SearchParameter{
			URL: "http://hl7.org/fhir/SearchParameter/Resource-type", Code: "_type", Type: "token", Base: []string{"Resource"}}},
	}}
	r.scratch = &sync.Pool{New: func() any { return &extraction{r: r} }}
	for _, name := range r4.ResourceTypes() {
		r.tables[name] = &table{}
	}
	definitions := make([]*r4.SearchParameter, 0, len(custom))
	byURL := map[string]*r4.SearchParameter{}
	for _, res := range custom {
		p := customParameter(res)
		if _, base := r4.SearchParameterByURL(p.URL); !base {
			definitions, byURL[p.URL] = append(definitions, p), p
		}
	}
	for _, p := range definitions {
		if err := r.addCustom(p, byURL); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// customParameter reads a SearchParameter resource.
// https://hl7.org/fhir/R4/searchparameter.html
func customParameter(res *fhir.Element) *r4.SearchParameter {
	list := func(name string) (out []string) {
		for c := range res.All(name) {
			out = append(out, c.Value)
		}
		return out
	}
	p := &r4.SearchParameter{
		URL: res.Text("url"), Code: res.Text("code"), Type: res.Text("type"), Base: list("base"),
		Target: list("target"), Expression: res.Text("expression"), Comparator: list("comparator"), Modifier: list("modifier"),
	}
	for c := range res.All("component") {
		p.Components = append(p.Components, r4.SearchComponent{Definition: c.Text("definition"), Expression: c.Text("expression")})
	}
	return p
}

// addCustom checks a custom parameter on every type it is for.
func (r *Registry) addCustom(sp *r4.SearchParameter, byURL map[string]*r4.SearchParameter) error {
	if sp.URL == "" || !validCode(sp.Code) || len(sp.Base) == 0 {
		return invalid("SearchParameter", "search-parameter-incomplete", "a search parameter needs url, code and base",
			"SearchParameterにはurl、code、baseが必要です")
	}
	p, err := r.parameter(sp, byURL)
	if err != nil {
		return err
	}
	for _, name := range r4.ResourceTypes() {
		if !slices.ContainsFunc(sp.Base, func(b string) bool { return b == name || isBase(b, name) }) {
			continue
		}
		if r.taken(name, sp.Code) {
			return invalid("SearchParameter.code", "search-parameter-taken", "%s has a search parameter %s already",
				"%sには検索パラメータ%sが既にあります", name, sp.Code)
		}
		if _, err := bind(p, name); err != nil {
			return invalid("SearchParameter.expression", "search-parameter-expression",
				"the expression of search parameter %s cannot be compiled", "検索パラメータ%sの式を解釈できません", sp.Code)
		}
		r.custom[name] = append(r.custom[name], p)
	}
	return nil
}

// taken reports whether a resource type has a parameter of that code.
func (r *Registry) taken(resourceType, code string) bool {
	return slices.ContainsFunc(r4.SearchParameters(resourceType), func(p *r4.SearchParameter) bool { return p.Code == code }) ||
		slices.ContainsFunc(r.custom[resourceType], func(p *Parameter) bool { return p.Code == code })
}

// validCode refuses what a query string cannot carry, the names that begin
// with an underscore, which are those of FHIR itself, and the code under which
// contained resources are indexed.
func validCode(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '_' && s[0] != containedCode[0] && !strings.ContainsAny(s, ".:|,$&= \x00")
}

// parameter makes a definition ready for use, once. others are definitions
// beside those of R4.
func (r *Registry) parameter(sp *r4.SearchParameter, others map[string]*r4.SearchParameter) (*Parameter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.parameters[sp]; ok {
		return p, nil
	}
	switch sp.Type {
	case "number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special":
	default:
		return nil, invalid("SearchParameter.type", "search-parameter-type", "search parameter %s has no usable type",
			"検索パラメータ%sの型が正しくありません", sp.Code)
	}
	p := &Parameter{SearchParameter: sp}
	for _, c := range sp.Components {
		part, ok := others[c.Definition]
		if !ok {
			part, ok = r4.SearchParameterByURL(c.Definition)
		}
		if !ok || part.Type == "composite" || part.Type == "special" {
			return nil, invalid("SearchParameter.component", "search-parameter-component",
				"a component of search parameter %s is not usable", "検索パラメータ%sの構成要素が使用できません", sp.Code)
		}
		p.Components = append(p.Components, &Parameter{SearchParameter: part})
	}
	r.parameters[sp] = p
	return p, nil
}

// bind compiles a parameter for a resource type.
func bind(p *Parameter, resourceType string) (*bound, error) {
	b := &bound{Parameter: p}
	var err error
	if p.Expression != "" {
		if b.path, err = compilePath(p.Expression, resourceType); err != nil {
			return nil, err
		}
	}
	for i, part := range p.Components {
		pb := &bound{Parameter: part}
		if pb.path, err = compilePath(p.SearchParameter.Components[i].Expression, ""); err != nil {
			return nil, err
		}
		b.parts = append(b.parts, pb)
	}
	return b, nil
}

// table returns the compiled parameters of a resource type, nil for none.
func (r *Registry) table(resourceType string) *table {
	t := r.tables[resourceType]
	if t != nil {
		t.once.Do(func() { r.fill(t, resourceType) })
	}
	return t
}

// fill compiles the parameters of a type. Those of R4 are known to compile by
// test; one that would not is left out rather than bringing a server down.
func (r *Registry) fill(t *table, resourceType string) {
	t.byCode = map[string]*bound{}
	for _, p := range r.custom[resourceType] {
		if b, err := bind(p, resourceType); err == nil {
			t.byCode[p.Code] = b
		}
	}
	for _, sp := range r4.SearchParameters(resourceType) {
		if sp.Code == "_query" || sp.Code == "_filter" {
			continue
		}
		p, err := r.parameter(sp, nil)
		if err != nil {
			continue
		}
		if b, err := bind(p, resourceType); err == nil {
			t.byCode[sp.Code] = b
		}
	}
	t.byCode["_type"] = &bound{Parameter: r.typeParam}
	for _, b := range t.byCode {
		t.params = append(t.params, b)
	}
	slices.SortFunc(t.params, func(a, b *bound) int { return strings.Compare(a.Code, b.Code) })
}

// Lookup finds a parameter by resource type and name.
func (r *Registry) Lookup(resourceType, code string) (*Parameter, bool) {
	t := r.table(resourceType)
	if t == nil {
		return nil, false
	}
	b, ok := t.byCode[code]
	if !ok {
		return nil, false
	}
	return b.Parameter, true
}

// Parameters returns the parameters of a resource type, sorted by code; the
// CapabilityStatement is made of them. _type, which R4 does not define as a
// SearchParameter, is not among them.
func (r *Registry) Parameters(resourceType string) []*Parameter {
	t := r.table(resourceType)
	if t == nil {
		return nil
	}
	out := make([]*Parameter, 0, len(t.params))
	for _, b := range t.params {
		if r.searchable(b.Parameter) && b.Parameter != r.typeParam {
			out = append(out, b.Parameter)
		}
	}
	return out
}

// searchable reports whether a parameter can be asked for at all.
func (r *Registry) searchable(p *Parameter) bool {
	return (p.Type != "special" || isNear(p)) && (r.opts.FullText || !fullText(p.Code))
}

// invalid is an error about a definition.
func invalid(expression, id, en, ja string, args ...any) error {
	return fhir.Issues{{Severity: fhir.Error, Code: fhir.Invalid, ID: id, Message: fhir.Messagef(en, ja, args...), Expression: expression}}
}
