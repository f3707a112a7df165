package search_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
)

// TestFollowingIsBounded: however a query is put, the work it makes before the
// search itself has an end, and it is refused rather than answered in part.
func TestFollowingIsBounded(t *testing.T) {
	r, err := search.New(searchscript.Options())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	location := func() *fhir.Element {
		n++
		e := fhir.NewResource("Location").Set("id", fmt.Sprint("l", n))
		e.Add("partOf").Set("reference", fmt.Sprint("Location/l", n+1))
		return e
	}
	for _, tt := range []struct {
		name, typ, query string
		give             int // resources for each question
	}{
		{"a wide hierarchy", "Procedure", "location:below=x", 1001},
		{"a hierarchy without end", "Procedure", "location:below=x", 1},
		{"the way up without end", "Procedure", "location:above=x", 1},
		{"a chain to too many", "QuestionnaireResponse", "questionnaire.status=active", 1001},
		{"a reverse chain from too many", "Questionnaire", "_has:QuestionnaireResponse:questionnaire:status=completed", 1001},
		{"many value sets", "Condition", "code:below=" + strings.TrimSuffix(strings.Repeat("http://example.jp/care|any,", 2000), ","), 3},
		{"many criteria", "QuestionnaireResponse", strings.Repeat("questionnaire.status=active&", 200), 900},
	} {
		t.Run(tt.name, func(t *testing.T) {
			questions := 0
			find := func(search.Query) ([]*fhir.Element, error) {
				questions++
				list := make([]*fhir.Element, tt.give)
				for i := range list {
					list[i] = location()
				}
				return list, nil
			}
			_, err := r.With(find).Parse(tt.typ, tt.query)
			var issues fhir.Issues
			if !errors.As(err, &issues) || issues[0].Code != fhir.TooCostly {
				t.Errorf("after %d questions: %v", questions, err)
			}
			if questions > 5000 {
				t.Errorf("%d questions", questions)
			}
		})
	}
	broken := errors.New("the store is broken")
	for _, query := range []string{"location:below=x", "code:in=http://example.jp/vs", "location.partof:above=x", "_filter=code in http://example.jp/vs"} {
		failing := func(search.Query) ([]*fhir.Element, error) { return nil, broken }
		if _, err := r.With(failing).Parse("Procedure", query); !errors.Is(err, broken) {
			t.Errorf("%s: %v", query, err)
		}
	}
}
