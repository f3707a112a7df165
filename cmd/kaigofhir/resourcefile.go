package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// resourceLimit bounds a file that holds a resource, in bytes.
const resourceLimit = 256 << 20

// readResource reads a resource from a file, JSON or XML by its first
// character. The error is fhir.Issues where the content is at fault.
func readResource(path string) (resource *fhir.Element, source []byte, err error) {
	source, err = os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	resource, err = decodeResource(source)
	return resource, source, err
}

func decodeResource(source []byte) (*fhir.Element, error) {
	if isXML(source) {
		return fhirxml.Decode(source, fhirxml.Options{MaxBytes: resourceLimit})
	}
	return fhirjson.Decode(source, fhirjson.Options{MaxBytes: resourceLimit})
}

func isXML(source []byte) bool {
	text := bytes.TrimPrefix(source, []byte("\ufeff"))
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("<"))
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
