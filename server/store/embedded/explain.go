package embedded

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Explain runs a search and tells, line by line, how it was done: for
// administrators. It names types and the place of conditions in the query, no
// values.
func (e *Engine) Explain(ctx context.Context, q search.Query) (string, error) {
	tr := &trace{}
	started := e.opts.Now()
	page, err := e.search(ctx, q, tr)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, l := range tr.lines {
		b.WriteString(l + "\n")
	}
	switch orderOf(q.Sort) {
	case newestOrder:
		b.WriteString("order: as found, newest first\n")
	case oldestOrder:
		b.WriteString("order: all matches, reversed\n")
	case valueOrder:
		b.WriteString("order: by the keys of the matches\n")
	}
	fmt.Fprintf(&b, "result: %d resources, total %d, %v\n", len(page.Versions), page.Total, e.opts.Now().Sub(started).Round(time.Microsecond))
	return b.String(), nil
}
