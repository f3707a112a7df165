package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// ChainExtension holds an entry's place: lane and entry (valueUnsignedInt) and
// previous (valueString), the SHA-256 of the entry before in hex.
const ChainExtension = care.AuditChainExtension

// link makes the next entry of a lane and moves the lane on.
func (l *Log) link(ln *lane, e *Event) store.Write {
	r := e.resource(l.cfg.NewID())
	chain := r.Add("extension").Set("url", ChainExtension)
	part := func(name, property, value string) { chain.Add("extension").Set("url", name).Set(property, value) }
	ln.next = max(ln.next, 1)
	part("lane", "valueUnsignedInt", strconv.Itoa(ln.number))
	part("entry", "valueUnsignedInt", strconv.FormatUint(ln.next, 10))
	if ln.head != "" {
		part("previous", "valueString", ln.head)
	}
	ln.head = hash(r)
	ln.next++
	labels := search.Labels{}
	if e.Patient != "" {
		labels.Patients = []string{e.Patient}
	}
	return store.Write{Key: store.Key{Type: "AuditEvent", ID: r.ID()}, Method: store.Create, Labels: labels, Stamp: l.stamp(r)}
}

// stamp completes an entry with the version and time the engine chose. Neither
// is part of its hash.
func (l *Log) stamp(r *fhir.Element) func(uint64, time.Time) ([]byte, [][]byte, error) {
	return func(version uint64, at time.Time) ([]byte, [][]byte, error) {
		stamped := *r
		stamped.Children = append([]*fhir.Element(nil), r.Children...)
		stamped.Add("meta").Set("versionId", strconv.FormatUint(version, 10)).Set("lastUpdated", at.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
		keys, err := l.cfg.Index(&stamped)
		return fhirjson.Append(nil, &stamped), keys, err
	}
}

// hash returns the hash of an entry without meta.
func hash(r *fhir.Element) string {
	sum := sha256.Sum256(fhirjson.Append(nil, r))
	return hex.EncodeToString(sum[:])
}

// place is where an entry says it stands.
type place struct {
	lane     int
	entry    uint64
	previous string
}

func placeOf(r *fhir.Element) (place, bool) {
	for x := range r.All("extension") {
		if x.Text("url") != ChainExtension {
			continue
		}
		var p place
		var errLane, errEntry error
		for part := range x.All("extension") {
			switch part.Text("url") {
			case "lane":
				p.lane, errLane = strconv.Atoi(part.Text("valueUnsignedInt"))
			case "entry":
				p.entry, errEntry = strconv.ParseUint(part.Text("valueUnsignedInt"), 10, 64)
			case "previous":
				p.previous = part.Text("valueString")
			}
		}
		return p, errLane == nil && errEntry == nil && p.entry > 0 && p.lane >= 0
	}
	return place{}, false
}

// Join returns the writes that record events, to be added to the transaction
// they belong to, and a function that must be called with the result of Apply
// exactly once. Until then the lane is taken.
func (l *Log) Join(ctx context.Context, events ...Event) (writes []store.Write, done func(error), err error) {
	if err := l.failure(); err != nil {
		return nil, nil, err
	}
	var ln *lane
	select {
	case ln = <-l.lanes:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	moved := *ln
	for i := range events {
		writes = append(writes, l.link(&moved, &events[i]))
	}
	return writes, func(err error) { l.giveBack(ln, moved, err) }, nil
}

// giveBack returns a lane after a transaction, moved on if that was written.
func (l *Log) giveBack(ln *lane, moved lane, err error) {
	switch {
	case err == nil:
		*ln = moved
	case uncertain(err):
		l.renew(ln)
	}
	l.lanes <- ln
}

// uncertain reports whether a transaction may have been written in spite of its
// error.
func uncertain(err error) bool {
	return !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrPrecondition)
}

// renew reads anew where a lane ends. Where even that fails, the lane starts
// from what is known: a gap or a fork that Verify reports is better than an
// access without a record.
func (l *Log) renew(ln *lane) {
	lanes, err := recoverLanes(context.Background(), &l.cfg)
	if err == nil {
		*ln = *lanes[ln.number-l.cfg.first()]
	}
}

// first is the number of the first lane.
func (cfg *Config) first() int { return cfg.Server * cfg.Lanes }

// recoverLanes finds the ends of the lanes, newest entries first.
func recoverLanes(ctx context.Context, cfg *Config) ([]*lane, error) {
	lanes := make([]*lane, cfg.Lanes)
	missing := len(lanes)
	q := store.HistoryQuery{Type: "AuditEvent", Must: search.Must{Unrestricted: true}, Count: 256}
	for missing > 0 {
		page, err := cfg.Store.History(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("audit: find the ends of the chains: %w", err)
		}
		missing -= foundEnds(page.Versions, cfg.first(), lanes)
		if page.Next == "" {
			break
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
	for i, ln := range lanes {
		if ln == nil {
			lanes[i] = &lane{number: cfg.first() + i}
		}
		lanes[i].next = max(lanes[i].next, 1)
	}
	return lanes, nil
}

// foundEnds takes the lanes' ends from a page and returns how many are new. All
// entries of a transaction are as old as each other, so that the highest number
// of a lane counts, not the first met.
func foundEnds(versions []store.Version, first int, lanes []*lane) (found int) {
	for _, v := range versions {
		r, err := fhirjson.Decode(v.JSON, fhirjson.Options{KeepUnknown: true})
		if err != nil || v.Method == store.Delete {
			continue
		}
		p, ok := placeOf(r)
		i := p.lane - first
		if !ok || i < 0 || i >= len(lanes) {
			continue
		}
		if lanes[i] == nil {
			found++
		} else if p.entry < lanes[i].next {
			continue
		}
		r.Remove("meta")
		lanes[i] = &lane{number: p.lane, next: p.entry + 1, head: hash(r)}
	}
	return found
}
