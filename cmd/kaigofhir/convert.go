package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// convertCommand writes a resource in the other form of FHIR.
type convertCommand struct {
	To      string   `enum:"json,xml" required:"" help:"Form to write: json or xml."`
	Compact bool     `help:"Leave out line ends and indentation."`
	File    *os.File `arg:"" help:"File that holds one resource, in JSON or XML; - is the standard input."`
}

// Run writes the resource to the standard output. What is wrong with the file
// goes to the standard error, one line for each issue.
func (c *convertCommand) Run(a *app) error {
	defer c.File.Close()
	data, err := io.ReadAll(io.LimitReader(c.File, resourceLimit+1))
	if err != nil {
		return err
	}
	out, err := convert(data, c.To, c.Compact)
	var issues fhir.Issues
	if errors.As(err, &issues) {
		writeIssues(a.stderr, c.File.Name(), issues, strings.HasPrefix(a.getenv("LANG"), "ja"))
		return exitStatus(1)
	}
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(out)
	return err
}

// convert reads a resource in whichever form it is and returns it in the form
// asked for, with a line end at its end.
func convert(data []byte, to string, compact bool) ([]byte, error) {
	e, err := decodeResource(data)
	if err != nil {
		return nil, err
	}
	write := map[string]func([]byte, *fhir.Element) []byte{
		"json": fhirjson.AppendIndent, "xml": fhirxml.AppendIndent,
	}
	if compact {
		write["json"], write["xml"] = fhirjson.Append, fhirxml.Append
	}
	return append(bytes.TrimSuffix(write[to](nil, e), []byte("\n")), '\n'), nil
}
