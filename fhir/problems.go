package fhir

import (
	"cmp"
	"slices"
)

// MaxProblems is the number of issues after which a reader gives up, so that
// hostile input cannot make it collect without end.
const MaxProblems = 1000

// Problems collects the issues a reader finds in a source text, each with the
// byte offset at which it found it. The zero value is ready.
type Problems struct {
	found []problem
}

type problem struct {
	issue  Issue
	offset int
}

// Add notes an issue. It reports false once there are MaxProblems.
func (p *Problems) Add(offset int, issue Issue) bool {
	if len(p.found) < MaxProblems {
		p.found = append(p.found, problem{issue, offset})
	}
	return len(p.found) < MaxProblems
}

// Len is the number of issues so far.
func (p *Problems) Len() int { return len(p.found) }

// Issues returns the issues in the order of the text, with line and column.
// It returns nil where there are none.
func (p *Problems) Issues(text string) Issues {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b problem) int { return cmp.Compare(a.offset, b.offset) })
	issues := make(Issues, len(p.found))
	offsets := make([]int, len(p.found))
	for i, f := range p.found {
		issues[i], offsets[i] = f.issue, f.offset
	}
	locate(text, issues, offsets)
	return issues
}
