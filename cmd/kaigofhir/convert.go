package main

import (
	"bytes"
	"errors"
	"fmt"
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

// convertLimit bounds the file, in bytes.
const convertLimit = 256 << 20

// Run writes the resource to the standard output. What is wrong with the file
// goes to the standard error, one line for each issue.
func (c *convertCommand) Run(a *app) error {
	defer c.File.Close()
	data, err := io.ReadAll(io.LimitReader(c.File, convertLimit+1))
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
	var e *fhir.Element
	var err error
	if bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"), []byte("<")) {
		e, err = fhirxml.Decode(data, fhirxml.Options{MaxBytes: convertLimit})
	} else {
		e, err = fhirjson.Decode(data, fhirjson.Options{MaxBytes: convertLimit})
	}
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

// writeIssues writes issues the way compilers do: "file:line:column: …".
func writeIssues(w io.Writer, file string, issues fhir.Issues, japanese bool) {
	for _, i := range issues {
		text := i.Message.En
		if japanese {
			text = i.Message.Ja
		}
		if i.Expression != "" {
			text = i.Expression + ": " + text
		}
		fmt.Fprintf(w, "%s:%d:%d: %s: %s [%s]\n", file, i.Line, i.Column, i.Severity, text, i.ID)
	}
}
