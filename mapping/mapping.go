// Package mapping turns the files that Japanese care software writes today
// into FHIR: a file goes in, a transaction comes out, or a report of what is
// wrong with the file, line and column, in the words of the form.
package mapping

import (
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/form"
)

// File is a file as it was handed in, with its own name.
type File = form.File

// Problem is something wrong with a file, said to the person who has to
// correct it. It never contains personal values.
type Problem = form.Problem

// Options give Map what it must not take from the world by itself.
type Options struct {
	Now   time.Time     // when the transaction is made: Bundle.timestamp
	NewID func() string // a fresh UUID at each call, without "urn:uuid:"
}

// Identifier is a business identifier.
type Identifier = form.Identifier

// Result is what came of the files.
type Result struct {
	// Bundle is of type transaction; nil if nothing could be mapped.
	Bundle *fhir.Element
	// Forms are the codes (care.FormSystem) of the forms recognised, each once.
	Forms []string
	// Authors are the organisations the files name as their authors, each
	// once: the medical institution of an opinion, the care-manager office of
	// a plan, the office of a LIFE record, the insurer of a card. Whoever takes
	// files in must check them against the sender.
	Authors []Identifier
	// Problems are in the order of files and lines.
	Problems []Problem
	// Refused counts the rows that were not mapped; a file refused whole counts
	// one.
	Refused int
}

// Issues are the problems as FHIR issues.
func (r Result) Issues() fhir.Issues {
	var issues fhir.Issues
	for _, p := range r.Problems {
		issues = append(issues, p.Issue())
	}
	return issues
}
