package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// WithSurvey lets the policy begin with a survey of the labels there are and with
// what is current, rather than with all changes there ever were. It is the store
// again.
func WithSurvey(s store.Surveyor) Option { return func(p *Policy) { p.view.survey = s } }

// loadPage is how many resources are read at once.
const loadPage = 1000

// loadTries is how often a load is begun anew because somebody erased records
// meanwhile, which ends all snapshots.
const loadTries = 10

// load takes in the store as it is now. The caller holds mu.
func (v *view) load(ctx context.Context) error {
	var err error
	for range loadTries {
		if err = v.loadOnce(ctx); !errors.Is(err, store.ErrExpired) {
			break
		}
	}
	return err
}

// loadOnce reads of the types that say something the current resources, of all
// others only who made a record about whom.
func (v *view) loadOnce(ctx context.Context) error {
	status, err := v.st.Status(ctx)
	if err != nil || status.Seq == 0 {
		return err
	}
	v.reset() // of what an attempt that failed has left
	for _, typ := range factTypes {
		if err := v.loadType(ctx, typ, status.Seq); err != nil {
			return err
		}
	}
	others := slices.DeleteFunc(slices.Clone(r4.ResourceTypes()), func(typ string) bool { return !tellsAuthors(typ) })
	for l, err := range v.survey.Survey(ctx, others) {
		if err != nil {
			return err
		}
		v.foldAuthor(&l)
	}
	v.seq = status.Seq
	return nil
}

// loadType folds in the resources of a type that are current at asOf.
func (v *view) loadType(ctx context.Context, typ string, asOf uint64) error {
	q := search.Query{Types: []string{typ}, Must: search.Must{Unrestricted: true}, Count: loadPage, Total: search.TotalNone, AsOf: asOf}
	for {
		page, err := v.st.Search(ctx, q)
		if err != nil {
			return fmt.Errorf("%s: %w", typ, err)
		}
		for i := range page.Versions {
			v.fold(&page.Versions[i])
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}
