package fhirpath

import (
	"errors"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// The rules errors name in Issue.ID.
const (
	ruleSyntax   = "fhirpath-syntax"
	ruleEvaluate = "fhirpath-evaluate"
	ruleCost     = "fhirpath-cost"
)

// syntaxError points at a byte of the source by line and column.
func syntaxError(source string, at int, en, ja string, args ...any) error {
	return syntaxIssue(source, at, fhir.Messagef(en, ja, args...))
}

func syntaxIssue(source string, at int, message fhir.Message) error {
	before := source[:min(at, len(source))]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	return fhir.Issues{{
		Severity: fhir.Error,
		Code:     fhir.Invalid,
		ID:       ruleSyntax,
		Message:  message,
		Line:     line,
		Column:   column,
	}}
}

// fault is the breach of a rule during evaluation. Its texts name functions
// and types, never values.
func fault(en, ja string, args ...any) error {
	return fhir.Issues{{
		Severity: fhir.Error,
		Code:     fhir.Processing,
		ID:       ruleEvaluate,
		Message:  fhir.Messagef(en, ja, args...),
	}}
}

// tooCostly stops an evaluation that goes past its limits.
func tooCostly() error {
	return fhir.Issues{{
		Severity: fhir.Error,
		Code:     fhir.TooCostly,
		ID:       ruleCost,
		Message:  fhir.Messagef("the evaluation takes too many steps", "式の評価の手順が多すぎます"),
	}}
}

// hookError wraps what a hook of Env returned, unless it is issues already.
func hookError(function string, err error) error {
	var issues fhir.Issues
	if errors.As(err, &issues) {
		return err
	}
	return &foreignError{function, err}
}

// foreignError is the failure of a hook.
type foreignError struct {
	function string
	err      error
}

func (e *foreignError) Error() string { return "fhirpath: " + e.function + ": " + e.err.Error() }
func (e *foreignError) Unwrap() error { return e.err }

func noHook(function string) error {
	return fault("%s is not available here", "%s はここでは使えません", function)
}
