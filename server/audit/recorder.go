package audit

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// maxWhat bounds the references in one entry; what is beyond it is counted.
const maxWhat = 200

// Explainer tells by which rules an access was decided; *policy.Policy is one.
type Explainer interface {
	ExplainAll(ctx context.Context, c policy.Caller, items []policy.Item) ([]policy.Decision, error)
}

// Recorder keeps the accesses of the door in a Log: for each person an entry of
// its own, so that a person who reads the record sees nothing of others.
type Recorder struct {
	log    *Log
	policy Explainer
	store  store.Store
}

var _ interaction.Joiner = (*Recorder)(nil)

// NewRecorder returns the Recorder of a log. The store tells about whom a
// resource is that was asked for and refused.
func NewRecorder(log *Log, p Explainer, st store.Store) *Recorder {
	return &Recorder{log, p, st}
}

// Record keeps an access.
func (r *Recorder) Record(ctx context.Context, a interaction.Access) error {
	events, err := r.events(ctx, &a)
	if err != nil {
		return err
	}
	return r.log.Record(ctx, events...)
}

// Join returns the writes that record an access in its own transaction.
func (r *Recorder) Join(ctx context.Context, a interaction.Access) ([]store.Write, func(error), error) {
	events, err := r.events(ctx, &a)
	if err != nil {
		return nil, nil, err
	}
	return r.log.Join(ctx, events...)
}

// events makes one event for each person an access is about, or one about
// nobody.
func (r *Recorder) events(ctx context.Context, a *interaction.Access) ([]Event, error) {
	base := Event{Time: a.Time, Request: a.RequestID, Caller: a.Caller, Interaction: a.Interaction, Type: a.Type, Parameters: parameters(a.Query), Erased: a.Erased}
	seen := a.Seen
	if a.Refused != nil {
		base.Refusal, base.Broken = refusalOf(a.Refused)
		asked, err := r.asked(ctx, a.Asked)
		if err != nil {
			return nil, err
		}
		seen = asked
	}
	items := make([]policy.Item, len(seen))
	for i := range seen {
		items[i] = policy.Item{Type: seen[i].Type, Labels: seen[i].Labels}
	}
	decisions, err := r.policy.ExplainAll(ctx, a.Caller, items)
	if err != nil {
		return nil, err
	}
	return grouped(base, seen, decisions), nil
}

// asked returns what a refused request asked for, with the labels that tell
// whom it is about, if it exists.
func (r *Recorder) asked(ctx context.Context, key store.Key) ([]interaction.Seen, error) {
	if key.ID == "" {
		return nil, nil
	}
	v, err := r.store.Read(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrGone) {
		return nil, err
	}
	return []interaction.Seen{{Key: key, Labels: v.Labels}}, nil
}

// grouped deals what was seen out to an event for each person.
func grouped(base Event, seen []interaction.Seen, decisions []policy.Decision) []Event {
	var events []Event
	at := map[string]int{} // index in events, by patient
	for i := range seen {
		patients := seen[i].Labels.Patients
		if len(patients) == 0 {
			patients = []string{""}
		}
		for _, patient := range patients {
			n, ok := at[patient]
			if !ok {
				n = len(events)
				at[patient] = n
				events = append(events, base)
				events[n].Patient = patient
			}
			events[n].add(&seen[i], decisions[i].Rules)
		}
	}
	if len(events) == 0 {
		return []Event{base}
	}
	return events
}

func (e *Event) add(s *interaction.Seen, rules []string) {
	if len(e.What) < maxWhat {
		e.What = append(e.What, Reference{s.Key, s.Version})
	} else {
		e.More++
	}
	for _, rule := range rules {
		if !slices.Contains(e.Rules, rule) {
			e.Rules = append(e.Rules[:len(e.Rules):len(e.Rules)], rule)
		}
	}
}

// refusalOf returns the id of what refused an access.
func refusalOf(r *interaction.Refusal) (id string, broken bool) {
	id = "refused"
	if len(r.Issues) > 0 {
		id = cmp.Or(r.Issues[0].ID, string(r.Issues[0].Code), id)
	}
	return id, r.Reason == interaction.Internal
}

// parameters returns the names of the parameters of a query, each once, without
// values, and without names that are themselves values in disguise.
func parameters(query string) []string {
	var names []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || name == "" || len(name) > 100 || strings.IndexFunc(name, odd) >= 0 {
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// odd reports whether a character is in no name of a search parameter.
func odd(c rune) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	return !letter && !strings.ContainsRune("_-.:", c)
}
