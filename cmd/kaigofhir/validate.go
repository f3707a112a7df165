package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// validateCommand checks resources against R4 and profiles.
type validateCommand struct {
	Profile []string `placeholder:"URL" help:"Canonical of a profile the resources must conform to, besides R4 and their own meta.profile. May be repeated."`
	With    []string `placeholder:"FILE|DIR|PACKAGE.tgz" help:"Definitions to know besides those of R4: a resource, a directory of them or a FHIR package. May be repeated."`
	JSON    bool     `name:"json" help:"Write an OperationOutcome for each file, one a line."`
	Lang    string   `enum:"en,ja,auto" default:"auto" help:"Language of the messages: en, ja, or that of the environment."`
	Files   []string `arg:"" name:"file" type:"existingfile" help:"Resources in JSON or XML."`
}

// Run writes what is wrong with each file to the standard output. The exit
// status is 1 where a file has an error.
func (c *validateCommand) Run(a *app) error {
	v, err := c.validator(a)
	if err != nil {
		return err
	}
	bad := false
	for _, name := range c.Files {
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		issues := check(a.ctx, v, source, c.Profile)
		bad = bad || issues.HasErrors()
		if err := c.write(a, name, issues); err != nil {
			return err
		}
	}
	if bad {
		return exitStatus(1)
	}
	return nil
}

// validator knows the definitions of --with. A broken definition is said and
// left out.
func (c *validateCommand) validator(a *app) (*validate.Validator, error) {
	d := &definitions{warn: func(file string, err error) {
		fmt.Fprintf(a.stderr, "kaigofhir: %s is left out: %v\n", file, err)
	}}
	for _, name := range c.With {
		if err := d.load(name); err != nil {
			return nil, err
		}
	}
	v, err := validate.New(validate.Config{
		Resources: d.resources,
		Now:       a.now,
		Resolve: func(_ context.Context, reference string) (*fhir.Element, bool) {
			r, ok := d.byRef[reference]
			return r, ok
		},
	})
	if err != nil {
		d.warn("a definition", err)
	}
	for _, p := range c.Profile {
		if !v.Knows(p) {
			return nil, fmt.Errorf("the profile %s is not known: name the file or package that has it with --with", p)
		}
	}
	return v, nil
}

// check reads and validates a resource. With faults of form that can be kept in
// the tree the rest is checked as well; one that is no FHIR at all has only
// the issues of reading it.
func check(ctx context.Context, v *validate.Validator, source []byte, profiles []string) fhir.Issues {
	_, err := decodeResource(source)
	var faults fhir.Issues
	if err != nil && !errors.As(err, &faults) {
		return fhir.Issues{{Severity: fhir.Fatal, Code: fhir.Exception, ID: "unreadable", Message: fhir.Message{En: err.Error()}}}
	}
	r, err := decodeLenient(source)
	if err != nil {
		return faults
	}
	issues := v.Validate(ctx, r, validate.Options{Profiles: profiles, Source: source})
	for _, f := range faults {
		if !slices.ContainsFunc(issues, func(i fhir.Issue) bool { return i.Expression == f.Expression }) {
			issues = append(issues, f)
		}
	}
	return issues
}

func (c *validateCommand) write(a *app, name string, issues fhir.Issues) error {
	lang := fhir.Language(c.Lang)
	if c.Lang == "auto" {
		lang = a.language()
	}
	if c.JSON {
		_, err := fmt.Fprintf(a.stdout, "%s\n", fhirjson.Append(nil, outcomeOf(issues, lang)))
		return err
	}
	writeIssues(a.stdout, name, issues, lang == fhir.Japanese)
	if len(issues) == 0 {
		_, err := fmt.Fprintf(a.stdout, "%s: %s\n", name, allOK(lang))
		return err
	}
	return nil
}

// outcomeOf is an OperationOutcome, which must have an issue also where all is
// well. https://hl7.org/fhir/R4/operationoutcome.html
func outcomeOf(issues fhir.Issues, lang fhir.Language) *fhir.Element {
	if len(issues) == 0 {
		issues = fhir.Issues{{Severity: fhir.Information, Code: fhir.Informational, ID: "valid",
			Message: fhir.Message{En: allOK(fhir.English), Ja: allOK(fhir.Japanese)}}}
	}
	return fhir.Outcome(issues, lang)
}

func allOK(lang fhir.Language) string {
	if lang == fhir.Japanese {
		return "問題は見つかりませんでした"
	}
	return "no issues"
}
