package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Stage is a moment of the demo at which the table is made.
type Stage string

// The stages.
const (
	BeforeConsent   Stage = "before consent"
	AfterConsent    Stage = "after consent"
	AfterWithdrawal Stage = "after withdrawal"
)

// japanese names the stages for the page.
var japanese = map[Stage]string{
	BeforeConsent:   "同意前",
	AfterConsent:    "同意後",
	AfterWithdrawal: "同意撤回後",
}

// form is a row of the table: how a client asks for the records of a form.
type form struct {
	code     string // care.PhysicianOpinion, …
	japanese string
	records  string // resource type of the records themselves
	sheet    string // resource type of the sheet made for the person, "" if there is none
}

// forms are the rows: the forms the sample files hold.
var forms = []form{
	{care.PhysicianOpinion, "主治医意見書", "DocumentReference", ""},
	{care.HomeCarePlan, "居宅ケアプラン", "CarePlan", ""},
	{care.LifeFeedback, "LIFE", "Observation", "DocumentReference"},
	{care.InsuredCard, "被保険者証", "Coverage", ""},
}

// Cell is what one organisation can pull of one form about one person.
type Cell struct {
	Form         string `json:"form"`
	Organization string `json:"organization"`
	Records      int    `json:"records"` // the records themselves
	Sheets       int    `json:"sheets"`  // sheets made for the person
	Want         string `json:"want"`    // what the matrix gives: "records", "sheet" or "none"
}

// Sees says what the cell holds, in the words of Want.
func (c Cell) Sees() string {
	switch {
	case c.Records > 0:
		return records
	case c.Sheets > 0:
		return sheet
	}
	return none
}

// Table is what each organisation can pull at a stage.
type Table struct {
	Stage Stage  `json:"stage"`
	Cells []Cell `json:"cells"`
}

// Right reports whether every cell is as the matrix says.
func (t Table) Right() bool {
	for _, c := range t.Cells {
		if c.Sees() != c.Want {
			return false
		}
	}
	return len(t.Cells) > 0
}

// Table makes the table of a stage with one or two searches for each cell, and
// shows it on the board.
func (w *World) Table(ctx context.Context, stage Stage) (Table, error) {
	t := Table{Stage: stage}
	for _, f := range forms {
		for _, o := range w.Organizations {
			c := Cell{Form: f.code, Organization: o.ID, Want: want(stage, f, o)}
			var err error
			if c.Records, err = w.count(ctx, o, f.records, f.code); err != nil {
				return t, err
			}
			if f.sheet != "" {
				if c.Sheets, err = w.count(ctx, o, f.sheet, f.code); err != nil {
					return t, err
				}
			}
			t.Cells = append(t.Cells, c)
		}
	}
	w.Board.add(t, w.Organizations)
	return t, nil
}

func (w *World) count(ctx context.Context, o *Organization, resourceType, formCode string) (int, error) {
	found, err := w.client(o).search(ctx, resourceType, url.Values{
		"patient":   {w.Patients[0]},
		"_security": {care.FormSystem + "|" + formCode},
	})
	if errors.Is(err, status(http.StatusForbidden)) {
		return 0, nil // not even the scope to ask
	}
	if err != nil {
		return 0, fmt.Errorf("%s asks for %s: %w", o.ID, formCode, err)
	}
	return len(found), nil
}

// Print writes the table for a terminal: rows are forms, columns organisations.
func (t Table) Print(out io.Writer, orgs []*Organization) {
	fmt.Fprintf(out, "\n%s (%s)\n", strings.ToUpper(string(t.Stage)), japanese[t.Stage])
	const first, column = 16, 15
	fmt.Fprint(out, pad("", first))
	for _, o := range orgs {
		fmt.Fprint(out, pad(o.Short, column))
	}
	fmt.Fprintln(out)
	for i, f := range forms {
		fmt.Fprint(out, pad(f.japanese, first))
		for _, c := range t.Cells[i*len(orgs) : (i+1)*len(orgs)] {
			fmt.Fprint(out, pad(c.String(), column))
		}
		fmt.Fprintln(out)
	}
}

// String is the cell as people read it: the number of records, "sheet" for
// the person's sheet, "–" for nothing; "!" and what was due where it is wrong.
func (c Cell) String() string {
	s := "–"
	switch c.Sees() {
	case records:
		s = "✓ " + strconv.Itoa(c.Records)
	case sheet:
		s = "sheet"
	}
	if c.Sees() != c.Want {
		s += " !" + c.Want
	}
	return s
}

// pad fills to a width in terminal columns; Japanese characters take two.
func pad(s string, width int) string {
	n := 0
	for _, r := range s {
		n++
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r == 'ー' {
			n++
		}
	}
	return s + strings.Repeat(" ", max(1, width-n))
}

// Board holds the tables made so far; the page at / reads it while the demo
// goes on.
type Board struct {
	mu     sync.Mutex
	orgs   []*Organization
	tables []Table
}

func (b *Board) add(t Table, orgs []*Organization) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orgs, b.tables = orgs, append(b.tables, t)
}

func (b *Board) state() ([]Table, []*Organization) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Table(nil), b.tables...), b.orgs
}
