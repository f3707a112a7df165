package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

type fhirpathCommand struct {
	Expression string `arg:"" help:"A FHIRPath expression."`
	File       string `arg:"" type:"existingfile" help:"A resource in JSON or XML."`
}

// Run prints the values of an expression on a resource, one a line: JSON for
// elements, the literal for other values.
func (c *fhirpathCommand) Run(a *app) error {
	resource, _, err := readResource(c.File)
	if err == nil {
		err = c.evaluate(a, resource)
	}
	if issues := (fhir.Issues)(nil); errors.As(err, &issues) {
		writeIssues(a.stderr, c.File, issues, strings.HasPrefix(a.getenv("LANG"), "ja"))
		return exitStatus(1)
	}
	return err
}

func (c *fhirpathCommand) evaluate(a *app, resource *fhir.Element) error {
	compiled, err := fhirpath.Compile(c.Expression)
	if err != nil {
		return err
	}
	values, err := compiled.Evaluate(&fhirpath.Env{Resource: resource, RootResource: resource, Now: a.now()}, resource)
	if err != nil {
		return err
	}
	for _, v := range values {
		line := v.String()
		if node, ok := v.(fhirpath.Node); ok && node.Kind == fhir.None {
			line = string(fhirjson.Append(nil, node.Element))
		}
		if _, err := fmt.Fprintln(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}
