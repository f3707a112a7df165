package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Head is the end of a lane: how many entries it has and the hash of the last.
type Head struct {
	Lane    int    `json:"lane"`
	Entries uint64 `json:"entries"`
	Hash    string `json:"hash"`
}

// Report is what Verify found.
type Report struct {
	Entries  int64    `json:"entries"`  // entries of the chains
	Foreign  int64    `json:"foreign"`  // AuditEvents outside the chains, written by unrestricted callers
	Problems []string `json:"problems"` // at most maxProblems; references only
	Heads    []Head   `json:"heads"`    // by lane
}

// Sound reports whether nothing was found amiss.
func (r *Report) Sound() bool { return len(r.Problems) == 0 }

const maxProblems = 100

// Verify reads all entries and checks every link. Given the heads of an
// earlier report, it also finds lanes cut off since.
func Verify(ctx context.Context, st store.Store, earlier ...Head) (Report, error) {
	v := &verifier{lanes: map[int]*chain{}, earlier: map[Head]bool{}}
	for _, h := range earlier {
		v.earlier[h] = false
	}
	q := store.HistoryQuery{Type: "AuditEvent", Must: search.Must{Unrestricted: true}, Count: 1000, Ascending: true}
	for {
		page, err := st.History(ctx, q)
		if err != nil {
			return v.report, fmt.Errorf("audit: read the entries: %w", err)
		}
		for i := range page.Versions {
			v.entry(&page.Versions[i])
		}
		if page.Next == "" {
			break
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
	v.finish(earlier)
	return v.report, nil
}

// verifier holds the lanes while they are read. The entries of a transaction
// come in no particular order, so entries wait for the one before.
type verifier struct {
	report  Report
	lanes   map[int]*chain
	earlier map[Head]bool // seen
}

type chain struct {
	next  uint64
	head  string
	early map[uint64]link // by entry
}

type link struct {
	id, previous, hash string
}

func (v *verifier) problem(format string, args ...any) {
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, fmt.Sprintf(format, args...))
	}
}

func (v *verifier) entry(version *store.Version) {
	if version.Method == store.Delete {
		v.problem("%s was deleted", version.Key)
		return
	}
	r, err := fhirjson.Decode(version.JSON, fhirjson.Options{KeepUnknown: true})
	if err != nil {
		v.problem("%s cannot be read", version.Key)
		return
	}
	p, ok := placeOf(r)
	if !ok {
		v.report.Foreign++
		return
	}
	if r.ID() != version.ID {
		v.problem("%s holds another entry", version.Key)
		return
	}
	if version.Version != 1 {
		v.problem("%s was changed: it has version %d", version.Key, version.Version)
		return
	}
	r.Remove("meta")
	v.report.Entries++
	c := v.lanes[p.lane]
	if c == nil {
		c = &chain{next: 1, early: map[uint64]link{}}
		v.lanes[p.lane] = c
	}
	if _, twice := c.early[p.entry]; twice || p.entry < c.next {
		v.problem("%s: lane %d has two entries %d", version.Key, p.lane, p.entry)
		return
	}
	c.early[p.entry] = link{version.ID, p.previous, hash(r)}
	v.advance(p.lane, c)
}

// advance checks the links whose turn it is.
func (v *verifier) advance(lane int, c *chain) {
	for {
		l, ok := c.early[c.next]
		if !ok {
			return
		}
		if l.previous != c.head {
			v.problem("AuditEvent/%s: lane %d, entry %d does not hold the hash of the entry before", l.id, lane, c.next)
		}
		v.step(lane, c, l)
	}
}

func (v *verifier) step(lane int, c *chain, l link) {
	delete(c.early, c.next)
	c.head = l.hash
	head := Head{lane, c.next, l.hash}
	if _, wanted := v.earlier[head]; wanted {
		v.earlier[head] = true
	}
	c.next++
}

// finish reports gaps and lanes cut off, and the heads.
func (v *verifier) finish(earlier []Head) {
	for lane, c := range v.lanes {
		for len(c.early) > 0 {
			first := uint64(0)
			for n := range c.early {
				if first == 0 || n < first {
					first = n
				}
			}
			v.problem("lane %d lacks the entries %s", lane, span(c.next, first-1))
			c.next = first
			v.step(lane, c, c.early[first])
			v.advance(lane, c)
		}
		v.report.Heads = append(v.report.Heads, Head{lane, c.next - 1, c.head})
	}
	for _, h := range earlier {
		if !v.earlier[h] {
			v.problem("lane %d no longer holds its entry %d as it was", h.Lane, h.Entries)
		}
	}
	slices.SortFunc(v.report.Heads, func(a, b Head) int { return a.Lane - b.Lane })
	slices.Sort(v.report.Problems)
}

func span(from, to uint64) string {
	if from == to {
		return strconv.FormatUint(from, 10)
	}
	return fmt.Sprintf("%d to %d", from, to)
}
