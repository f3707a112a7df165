package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping"
)

type mapCommand struct {
	Files []string `arg:"" name:"file" type:"existingfile" help:"Files as care software writes them; those of one care plan belong together."`
	Lang  string   `enum:"en,ja" default:"en" help:"Language of the problems (en, ja)."`
}

// Run writes the FHIR of the files to standard output, as one transaction, and
// what is wrong with them to standard error. It fails where a row was refused.
func (c *mapCommand) Run(a *app) error {
	files := make([]mapping.File, len(c.Files))
	for i, path := range c.Files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[i] = mapping.File{Name: filepath.Base(path), Data: data}
	}
	result := mapping.Map(files, mapping.Options{Now: a.now(), NewID: uuid.NewString})
	for _, p := range result.Problems {
		fmt.Fprintln(a.stderr, problemLine(p, fhir.Language(c.Lang)))
	}
	if result.Bundle != nil {
		if _, err := a.stdout.Write(append(fhirjson.AppendIndent(nil, result.Bundle), '\n')); err != nil {
			return err
		}
	}
	if result.Refused > 0 || result.Bundle == nil {
		return exitStatus(1)
	}
	return nil
}

// problemLine is a problem the way compilers write theirs, so that editors can
// jump to it: file:line:column: severity: field: message.
func problemLine(p mapping.Problem, lang fhir.Language) string {
	place := p.File
	if p.Line > 0 {
		place += fmt.Sprintf(":%d", p.Line)
	}
	if p.Column > 0 {
		place += fmt.Sprintf(":%d", p.Column)
	}
	text := p.Message.En
	if lang == fhir.Japanese {
		text = p.Message.Ja
	}
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	return fmt.Sprintf("%s: %s: %s", place, p.Severity, text)
}

// firstLine is what --ready-json prints for scripts once the server answers.
func (a *app) firstLine(v any) error { return json.NewEncoder(a.stdout).Encode(v) }
