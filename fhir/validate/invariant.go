package validate

import (
	"errors"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// invariant is a constraint compiled once.
// https://hl7.org/fhir/R4/conformance-rules.html#constraints
type invariant struct {
	key      string
	severity fhir.Severity
	human    string
	expr     *fhirpath.Expression
	err      error // why the expression cannot be compiled
}

// native are the constraints that are checked in Go: on every element or
// resource, where an interpreter would take most of the time.
var native = map[string]bool{
	"ele-1": true, "ext-1": true, "txt-1": true, "txt-2": true, "ref-1": true,
	"dom-2": true, "dom-3": true, "dom-4": true, "dom-5": true, "dom-6": true,
	// An interpreter looks through all entries for each entry.
	"bdl-3": true, "bdl-4": true, "bdl-7": true,
}

func newInvariant(key, severity, human, expression string) *invariant {
	inv := &invariant{key: key, severity: fhir.Error, human: human}
	if severity == "warning" {
		inv.severity = fhir.Warning
	}
	inv.expr, inv.err = fhirpath.Compile(expression)
	return inv
}

// check evaluates invariants on the element the run stands on.
func (r *run) invariants(e *fhir.Element, list []*invariant) {
	for _, inv := range list {
		r.invariant(e, inv)
	}
}

func (r *run) invariant(e *fhir.Element, inv *invariant) {
	holds, err := r.holds(e, inv)
	switch {
	case err != nil:
		r.warn(fhir.Processing, "invariant-not-evaluated", fhir.Messagef(
			"Constraint %s could not be evaluated: %v", "制約 %s を評価できません: %v", inv.key, plain(err)))
	case !holds:
		r.report(inv.severity, fhir.Invariant, inv.key, fhir.Messagef(
			"Constraint %s is not met: %s", "制約 %s を満たしていません: %s", inv.key, inv.human))
	}
}

// holds evaluates a constraint. An empty result is no violation: constraints
// of R4 itself (bdl-8, ras-2) are empty where the element is absent.
func (r *run) holds(e *fhir.Element, inv *invariant) (bool, error) {
	if inv.err != nil {
		return false, inv.err
	}
	value, known, err := inv.expr.EvaluateBool(r.env(), e)
	return value || !known, err
}

// plain strips the position inside the expression from an error: it is not
// one in the resource.
func plain(err error) string {
	var issues fhir.Issues
	if errors.As(err, &issues) && len(issues) > 0 {
		return issues[0].Message.En
	}
	return err.Error()
}

// env is the environment of FHIRPath for the resource the run stands in.
func (r *run) env() *fhirpath.Env {
	f := r.frame
	if f.env == nil {
		f.env = &fhirpath.Env{
			Resource:     f.resource,
			RootResource: f.container,
			Resolve: func(reference string) (*fhir.Element, bool) {
				target := r.resolveText(reference)
				return target, target != nil
			},
			MemberOf:   r.memberOf,
			ConformsTo: r.conformsTo,
		}
		if r.v.cfg.Now != nil {
			f.env.Now = r.v.cfg.Now()
		}
	}
	return f.env
}

var errUnknown = errors.New("the answer is not known here")

// memberOf answers FHIRPath's memberOf().
func (r *run) memberOf(v fhirpath.Value, valueSet string) (bool, error) {
	verdict := terminology.Unknown
	switch v := v.(type) {
	case fhirpath.Node:
		verdict = r.inSet(v.Element, valueSet)
	case fhirpath.String:
		verdict = r.codesIn([]terminology.Coding{{Code: string(v)}}, true, valueSet).Verdict
	}
	if verdict == terminology.Unknown {
		return false, errUnknown
	}
	return verdict == terminology.Yes, nil
}

// conformsTo answers FHIRPath's conformsTo().
func (r *run) conformsTo(e *fhir.Element, canonical string) (bool, error) {
	if _, ok := isCore(canonical); !ok {
		if _, ok := r.v.profile(canonical); !ok {
			return false, errUnknown
		}
	}
	return r.conforms(e, canonical), nil
}
