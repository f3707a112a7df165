package interaction

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Recorder keeps the record of accesses (AuditEvent). An interaction whose
// record cannot be kept fails.
type Recorder interface {
	Record(ctx context.Context, a Access) error
}

// Access is one access to people's data, allowed or refused.
type Access struct {
	Time        time.Time
	RequestID   string
	Caller      policy.Caller
	Interaction string // R4's name: read, vread, update, patch, delete, history-instance, search-type, …
	Type        string // resource type asked for, "" for the system
	// Seen are the versions handed out or written, without their content.
	Seen []Seen
	// Query is the search as asked, "" for others. It may hold personal data.
	Query string
	// Asked is the resource a read asked for, seen or not.
	Asked store.Key
	// Erased says that Seen is erased for good, its former versions included.
	Erased bool
	// Refused tells why nothing was done; nil for a success.
	Refused *Refusal

	joined bool // the record is in the transaction of the write already
}

// Seen is one version of a resource in an Access.
type Seen struct {
	store.Key
	Version uint64 // 0 for a write that is just being made
	Labels  search.Labels
}

type discard struct{}

func (discard) Record(context.Context, Access) error { return nil }

func seen(versions ...store.Version) []Seen {
	list := make([]Seen, len(versions))
	for i := range versions {
		v := &versions[i]
		list[i] = Seen{Key: v.Key, Version: v.Version, Labels: v.Labels}
	}
	return list
}

// distinct leaves out repetitions, which follow each other: contained resources
// are several results of one resource.
func distinct(list []Seen) []Seen {
	return slices.CompactFunc(list, func(a, b Seen) bool { return a.Key == b.Key })
}

// record keeps the access and returns the error of the interaction, or that
// of the record, which would otherwise be lost.
func (s *Service) record(ctx context.Context, c *Call, a Access, err error) error {
	if a.joined && err == nil {
		return nil
	}
	a.Time, a.RequestID, a.Caller = s.cfg.Now(), c.RequestID, c.Caller
	if err != nil {
		a.Refused, a.Seen = AsRefusal(err), nil
		err = a.Refused
	}
	if lost := s.cfg.Recorder.Record(ctx, a); lost != nil && err == nil {
		return fmt.Errorf("record access: %w", lost)
	}
	return err
}
