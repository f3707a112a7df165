package interaction

import (
	"context"
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Transaction does everything a transaction Bundle asks for, or nothing, in
// R4's order of processing. The answers come in the order of the request.
// https://hl7.org/fhir/R4/http.html#transaction
func (s *Service) Transaction(ctx context.Context, c Call, bundle *fhir.Element) (*Bundle, error) {
	a := Access{Interaction: "transaction"}
	b, written, err := s.transaction(ctx, &c, bundle, &a)
	a.Seen = nil
	for _, w := range written {
		if w.Effect != Nothing {
			a.Seen = append(a.Seen, seen(append([]store.Version{w.Version}, w.Also...)...)...)
		}
	}
	return b, s.record(ctx, &c, a, err)
}

func (s *Service) transaction(ctx context.Context, c *Call, bundle *fhir.Element, a *Access) (*Bundle, []Written, error) {
	entries, errs, err := s.readEntries(c, bundle)
	if err != nil {
		return nil, nil, err
	}
	if err := joined(errs); err != nil {
		return nil, nil, err
	}
	changes, err := transactionChanges(entries)
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkReads(ctx, c, entries, changes); err != nil {
		return nil, nil, err
	}
	written, err := s.write(ctx, c, changes, a)
	if err != nil {
		return nil, nil, err
	}
	out := &Bundle{Type: "transaction-response", Timestamp: s.cfg.Now(), Total: -1, Entries: make([]Entry, len(entries))}
	for i, w := range written {
		out.Entries[changes[i].entry] = writtenEntry(c, w)
	}
	for i := range entries {
		if entries[i].reads() {
			out.Entries[i] = replyEntry(c, s.perform(ctx, c, &entries[i]))
		}
	}
	return out, written, nil
}

// joined makes one refusal of the problems of all entries.
func joined(errs []error) error {
	var all *Refusal
	for _, err := range errs {
		if err == nil {
			continue
		}
		r := AsRefusal(err)
		if all == nil {
			all = &Refusal{Reason: r.Reason, Err: r.Err}
		}
		all.Issues = append(all.Issues, r.Issues...)
	}
	if all == nil {
		return nil
	}
	return all
}

// transactionChanges returns the writes of the entries.
func transactionChanges(entries []entry) ([]change, error) {
	var changes []change
	seenURL := map[string]bool{}
	for i := range entries {
		en := &entries[i]
		if en.target.Operation != "" && en.method != "GET" {
			return nil, entryProblem(i, ".request", fhir.NotSupported, "operation-in-transaction", fhir.Messagef(
				"an operation that may write cannot be part of a transaction",
				"書き込みを伴う可能性のあるオペレーションはトランザクションに含められません"))
		}
		if en.reads() {
			continue
		}
		if en.fullURL != "" && seenURL[en.fullURL] {
			return nil, entryProblem(i, ".fullUrl", fhir.Duplicate, "full-url-duplicate", fhir.Messagef(
				"another entry has the same fullUrl", "同じ fullUrl のエントリがほかにあります"))
		}
		seenURL[en.fullURL] = true
		ch, err := en.change()
		if err != nil {
			return nil, err
		}
		changes = append(changes, ch)
	}
	return changes, nil
}

// checkReads fails a transaction whose reads cannot succeed: what they ask for
// must be there, or be written by it.
func (s *Service) checkReads(ctx context.Context, c *Call, entries []entry, changes []change) error {
	writes := map[store.Key]verb{}
	for _, ch := range changes {
		if ch.key.ID != "" {
			writes[ch.key] = ch.verb
		}
	}
	for i := range entries {
		en := &entries[i]
		if !en.reads() || en.target.ID == "" || en.target.Operation != "" || en.target.Member != "" {
			continue
		}
		v, ok := writes[en.target.key()]
		var err error
		switch {
		case ok && v != verbDelete && en.target.Version == "":
		case ok && v == verbDelete && en.target.Version == "" && !en.target.History:
			err = gone(en.target.key())
		case !ok:
			_, err = s.read(ctx, c, en.target.key())
		}
		if err != nil && !(en.target.History && AsRefusal(err).Reason == Gone) {
			return AsRefusal(err).at(fmt.Sprintf("Bundle.entry[%d]", i))
		}
	}
	return nil
}

// writtenEntry answers a write.
func writtenEntry(c *Call, w Written) Entry {
	r := &Reply{Effect: w.Effect, Version: w.Version}
	r.Show = c.Return == ReturnRepresentation && w.Effect != Deleted && w.Effect != Nothing
	if c.Return == ReturnOutcome {
		r.Issues = append(fhir.Issues{Done(w.Effect)}, w.Issues...)
	}
	return replyEntry(c, r)
}

// Done says in words what a write did.
func Done(e Effect) fhir.Issue {
	m := fhir.Messagef("nothing to do", "変更はありません")
	switch e {
	case Created:
		m = fhir.Messagef("created", "作成しました")
	case Updated:
		m = fhir.Messagef("updated", "更新しました")
	case Deleted:
		m = fhir.Messagef("deleted", "削除しました")
	case Matched:
		m = fhir.Messagef("exists already", "すでに存在します")
	}
	return fhir.Issue{Severity: fhir.Information, Code: fhir.Informational, Message: m}
}

// replyEntry puts a reply into an entry of a response Bundle.
func replyEntry(c *Call, r *Reply) Entry {
	e := Entry{Reply: r}
	if r.Err == nil && r.Version.ID != "" && r.Effect != Deleted {
		e.FullURL = c.fullURL(r.Version.Key)
		if r.Show {
			e.Resource = r.Version.JSON
		}
	}
	return e
}
