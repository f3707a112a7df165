package main

import (
	"bytes"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

type matrixCommand struct {
	Markdown bool `xor:"form" help:"As a table for people (the default)."`
	JSON     bool `xor:"form" name:"json" help:"As JSON: one object for each cell, with form, actor, relation, effect and source."`
}

// Run prints the sharing matrix in force.
func (c *matrixCommand) Run(a *app) error {
	out := []byte(sharing.National().Markdown())
	if c.JSON {
		out = sharing.National().JSON()
	}
	_, err := a.stdout.Write(append(bytes.TrimRight(out, "\n"), '\n'))
	return err
}
