package api

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/operation"
)

// contentTag returns the ETag of bytes that have no version.
func contentTag(data []byte) string {
	sum := sha256.Sum256(data)
	return `W/"` + hex.EncodeToString(sum[:8]) + `"`
}

// capabilities makes the CapabilityStatement of what is registered: the table
// of routes, the search parameters in force, the operations.
// https://hl7.org/fhir/R4/capabilitystatement.html
func (a *API) capabilities() *fhir.Element {
	e := fhir.NewResource("CapabilityStatement")
	e.Set("status", "active").Set("date", a.started.UTC().Format("2006-01-02T15:04:05Z"))
	e.Set("kind", "instance").Set("fhirVersion", "4.0.1")
	e.Add("software").Set("name", "kaigofhir").Set("version", a.cfg.Version)
	impl := e.Add("implementation").Set("description", "kaigofhir: FHIR R4 for long-term care (介護)")
	impl.Set("url", a.cfg.BaseURL)
	for _, f := range []string{"application/fhir+json", "application/fhir+xml", "json", "xml"} {
		e.Add("format").SetValue(f)
	}
	for _, f := range patchFormats {
		e.Add("patchFormat").SetValue(f)
	}
	rest := e.Add("rest").Set("mode", "server")
	if a.cfg.SingleWrites {
		rest.Set("documentation", "The database under this server has no transactions: a request may write one resource only.")
	}
	a.security(rest)
	for _, name := range r4.ResourceTypes() {
		a.capable(rest.Add("resource"), name)
	}
	for _, code := range codesOf(true) {
		if code != "transaction" || !a.cfg.SingleWrites {
			rest.Add("interaction").Set("code", code)
		}
	}
	// What holds for every type is said once, at the system level.
	for _, p := range a.parameters("") {
		describe(rest.Add("searchParam"), p)
	}
	for _, o := range a.operations() {
		if o.System {
			declare(rest.Add("operation"), &o)
		}
	}
	for _, name := range []string{"patient", "encounter", "relatedPerson", "practitioner", "device"} {
		rest.Add("compartment").SetValue("http://hl7.org/fhir/CompartmentDefinition/" + name)
	}
	return e
}

// patchFormats are the formats of PATCH.
var patchFormats = []string{"application/json-patch+json", "application/merge-patch+json", "application/fhir+json", "application/fhir+xml"}

// security tells how to get a token.
// https://hl7.org/fhir/smart-app-launch/conformance.html
func (a *API) security(rest *fhir.Element) {
	sec := rest.Add("security").Set("cors", map[bool]string{true: "true", false: "false"}[len(a.cfg.Origins) > 0])
	if a.cfg.Open {
		sec.Set("description", "Development mode: no token is needed.")
		return
	}
	coding := sec.Add("service").Add("coding")
	coding.Set("system", "http://terminology.hl7.org/CodeSystem/restful-security-service").Set("code", "SMART-on-FHIR")
	if a.cfg.TokenURL == "" {
		return
	}
	ext := sec.Add("extension").Set("url", "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris")
	for _, u := range [][2]string{{"token", a.cfg.TokenURL}, {"authorize", a.cfg.AuthorizeURL}} {
		if u[1] != "" {
			ext.Add("extension").Set("url", u[0]).Set("valueUri", u[1])
		}
	}
}

// codesOf returns the interactions the routes offer at the system level, or at
// the type level.
func codesOf(system bool) []string {
	var codes []string
	for _, r := range routes() {
		if strings.HasPrefix(r.path, "/:type") != system {
			codes = append(codes, r.codes...)
		}
	}
	return codes
}

// capable describes what can be done with one resource type.
func (a *API) capable(e *fhir.Element, name string) {
	e.Set("type", name).Set("profile", "http://hl7.org/fhir/StructureDefinition/"+name)
	for _, code := range codesOf(false) {
		e.Add("interaction").Set("code", code)
	}
	o := a.cfg.Service.Options()
	yes := func(b bool) string { return map[bool]string{true: "true", false: "false"}[b] }
	e.Set("versioning", "versioned-update").Set("readHistory", "true").Set("updateCreate", yes(o.ClientIDs))
	e.Set("conditionalCreate", "true").Set("conditionalRead", "full-support").Set("conditionalUpdate", "true")
	e.Set("conditionalDelete", map[bool]string{true: "multiple", false: "single"}[o.DeleteMultiple])
	e.Add("referencePolicy").SetValue("literal")
	e.Add("referencePolicy").SetValue("logical")
	e.Add("referencePolicy").SetValue("local")
	if o.CheckReferences {
		e.Add("referencePolicy").SetValue("enforced")
	}
	params := a.parameters(name)
	for _, p := range params {
		if p.Type == "reference" {
			e.Add("searchInclude").SetValue(name + ":" + p.Code)
		}
	}
	for _, source := range revIncludes()[name] {
		e.Add("searchRevInclude").SetValue(source)
	}
	for _, p := range params {
		describe(e.Add("searchParam"), p)
	}
	for _, op := range a.operations() {
		if op.Offered(name, false) || op.Offered(name, true) {
			declare(e.Add("operation"), &op)
		}
	}
}

// operations returns the registered operations and the upload of files.
func (a *API) operations() []operation.Operation {
	list := slices.Clone(a.cfg.Operations.All())
	if a.cfg.Intake != nil {
		list = append(list, operation.Operation{Name: "intake", System: true, Writes: true,
			Definition: care.Canonical + "/OperationDefinition/intake"})
	}
	if a.cfg.GraphQL != nil {
		list = append(list, operation.Operation{Name: "graphql", System: true, Instance: true, Definition: operation.GraphQLDefinition})
	}
	return list
}

// parameters returns the search parameters in force for a type.
func (a *API) parameters(resourceType string) []*search.Parameter {
	name := resourceType
	if name == "" {
		name = "Resource"
	}
	var list []*search.Parameter
	for _, sp := range r4.SearchParameters(name) {
		if p, ok := a.cfg.Service.Registry().Lookup(name, sp.Code); ok {
			list = append(list, p)
		}
	}
	for _, p := range a.cfg.Service.Registry().Parameters(name) {
		if _, base := r4.SearchParameterByURL(p.URL); !base {
			list = append(list, p)
		}
	}
	return list
}

func describe(e *fhir.Element, p *search.Parameter) {
	e.Set("name", p.Code).Set("definition", p.URL).Set("type", p.Type)
}

func declare(e *fhir.Element, o *operation.Operation) {
	e.Set("name", o.Name).Set("definition", o.Definition)
}

// terminologyCapabilities tells what the terminology operations can do.
// https://hl7.org/fhir/R4/terminologycapabilities.html
func (a *API) terminologyCapabilities() *fhir.Element {
	e := fhir.NewResource("TerminologyCapabilities")
	e.Set("status", "active").Set("date", a.started.UTC().Format("2006-01-02T15:04:05Z")).Set("kind", "instance")
	e.Add("software").Set("name", "kaigofhir").Set("version", a.cfg.Version)
	e.Add("implementation").Set("description", "kaigofhir").Set("url", a.cfg.BaseURL)
	return e
}
