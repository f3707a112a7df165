package interaction

import (
	"context"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// action is the scope letter a change needs. A create by PUT needs 'c' as
// well, which prepare asks for once it is known to be one.
func (ch *change) action() policy.Action {
	switch ch.verb {
	case verbDelete:
		return policy.ActionDelete
	case verbCreate:
		return policy.ActionCreate
	}
	return policy.ActionUpdate
}

// checkResource refuses a body that is not what the request's URL says.
func checkResource(ch *change) error {
	if got := ch.resource.ResourceType(); got != ch.key.Type {
		return Refuse(BadRequest, fhir.Invalid, "type-mismatch", fhir.Messagef(
			"the body is a %s, the URL says %s", "本文は %s ですが、URL は %s です", got, ch.key.Type))
	}
	id := ch.resource.ID()
	if ch.verb != verbUpdate || ch.criteria != nil {
		return nil
	}
	if id == "" {
		return RefuseAll(BadRequest, fhir.Issues{{Severity: fhir.Error, Code: fhir.Required, ID: "id-missing",
			Expression: ch.key.Type + ".id", Message: fhir.Messagef(
				"an update needs the resource's id in the body too", "更新では本文にもリソースの id が必要です")}})
	}
	if id != ch.key.ID {
		return RefuseAll(BadRequest, fhir.Issues{{Severity: fhir.Error, Code: fhir.Invalid, ID: "id-mismatch",
			Expression: ch.key.Type + ".id", Message: fhir.Messagef(
				"the body's id is not the one in the URL", "本文の id が URL の id と異なります")}})
	}
	return nil
}

// prepare makes the store's write of a step.
func (p *plan) prepare(ctx context.Context, st *step) error {
	switch {
	case st.matched || st.nothing || st.same != nil:
		return nil
	case st.verb == verbDelete:
		return p.prepareDelete(ctx, st)
	}
	content, err := p.content(ctx, st)
	if err != nil {
		return err
	}
	return p.prepareContent(ctx, st, content)
}

// content returns the new content of a step, a tree of its own with id set.
func (p *plan) content(ctx context.Context, st *step) (*fhir.Element, error) {
	if st.verb != verbPatch {
		content := st.resource.Clone()
		content.Set("id", st.key.ID)
		return content, p.localize(ctx, st, content)
	}
	old, err := decodeStored(st.found.JSON)
	if err != nil {
		return nil, err
	}
	content, err := st.patch(old)
	if err != nil {
		return nil, err
	}
	if content.ResourceType() != st.key.Type || content.ID() != st.key.ID {
		return nil, Refuse(Unacceptable, fhir.BusinessRule, "patch-identity", fhir.Messagef(
			"a patch cannot change the type or id of a resource", "パッチでリソースの型や id を変更することはできません"))
	}
	return content, p.localize(ctx, st, content)
}

func (p *plan) prepareContent(ctx context.Context, st *step, content *fhir.Element) error {
	if err := p.validate(ctx, st, content); err != nil {
		return err
	}
	action, previous := st.action(), (*search.Labels)(nil)
	if st.found != nil {
		previous = &st.found.Labels
	}
	if st.found == nil || st.deleted {
		action = policy.ActionCreate
		if err := allow(p.c, st.key.Type, action); err != nil {
			return err
		}
	}
	if err := p.checkNumbers(st, content); err != nil {
		return err
	}
	labels, err := p.s.cfg.Policy.Label(ctx, p.c.Caller, content, previous)
	if err != nil {
		return refuseWrite(err)
	}
	if !st.insurer { // the policy knows an insurer by the card, which may come in the same transaction
		if err := p.s.cfg.Policy.MayWrite(ctx, p.c.Caller, action, content, labels); err != nil {
			return refuseWrite(err)
		}
	}
	if err := p.checkReferences(ctx, content); err != nil {
		return err
	}
	if err := p.checkSubjects(ctx, content, labels); err != nil {
		return err
	}
	stamp, err := newStamp(p.s.indexing.Load(), content)
	if err != nil {
		return err
	}
	w := store.Write{Key: st.key, Method: store.Create, IfVersion: st.pin(), Stamp: stamp.stamp, Labels: labels}
	if action == policy.ActionUpdate {
		w.Method = store.Update
	}
	p.add(st, w)
	return nil
}

// checkNumbers refuses an organisation's change of its own numbers: whose file
// $intake is given, it tells by them.
func (p *plan) checkNumbers(st *step, content *fhir.Element) error {
	if p.c.Caller.Unrestricted || st.found == nil || st.key != (store.Key{Type: "Organization", ID: p.c.Caller.Organization}) {
		return nil
	}
	old, err := decodeStored(st.found.JSON)
	if err != nil {
		return err
	}
	if !slices.Equal(numbers(old), numbers(content)) {
		return RefuseAll(Denied, fhir.Issues{{Severity: fhir.Error, Code: fhir.Forbidden, ID: "own-numbers",
			Expression: "Organization.identifier", Message: fhir.Messagef(
				"an organisation does not change its own numbers; the operator does", "組織の番号を変更できるのは運用者だけです")}})
	}
	return nil
}

// numbers returns the identifiers of an organisation, sorted.
func numbers(organization *fhir.Element) []string {
	var list []string
	for id := range organization.All("identifier") {
		list = append(list, id.Text("system")+"|"+id.Text("value"))
	}
	slices.Sort(list)
	return list
}

// pin returns the version a step was planned from: it must still be current
// when the step is applied.
func (st *step) pin() *uint64 {
	version := uint64(0)
	if st.found != nil && !st.deleted {
		version = st.found.Version
	}
	return &version
}

func (p *plan) add(st *step, w store.Write) {
	st.writes = append(st.writes, len(p.tx.Writes))
	p.tx.Writes = append(p.tx.Writes, w)
}

func (p *plan) prepareDelete(ctx context.Context, st *step) error {
	for _, v := range append([]store.Version{*st.found}, st.also...) {
		old, err := decodeStored(v.JSON)
		if err != nil {
			return err
		}
		if err := p.s.cfg.Policy.MayWrite(ctx, p.c.Caller, policy.ActionDelete, old, v.Labels); err != nil {
			return refuseWrite(err)
		}
		p.deletions = append(p.deletions, deletion{st, v.Key})
		version := v.Version
		p.add(st, store.Write{Key: v.Key, Method: store.Delete, IfVersion: &version})
	}
	return nil
}

func (p *plan) validate(ctx context.Context, st *step, content *fhir.Element) error {
	if p.s.cfg.Validator == nil {
		return nil
	}
	issues := p.s.cfg.Validator.Validate(ctx, content)
	slices.SortStableFunc(issues, func(a, b fhir.Issue) int { return rank(a.Severity) - rank(b.Severity) })
	if issues.HasErrors() {
		return RefuseAll(Unacceptable, issues)
	}
	st.issues = issues
	return nil
}

// rank orders severities, worst first.
func rank(s fhir.Severity) int {
	return slices.Index([]fhir.Severity{fhir.Fatal, fhir.Error, fhir.Warning, fhir.Information}, s)
}

// refuseWrite turns the policy's issues into a refusal.
func refuseWrite(err error) error {
	if issues, ok := err.(fhir.Issues); ok { //nolint:errorlint // the policy's contract
		return RefuseAll(Denied, issues)
	}
	return err
}

// decodeStored reads a resource the server stored itself.
func decodeStored(json []byte) (*fhir.Element, error) {
	e, err := fhirjson.Decode(json, fhirjson.Options{MaxBytes: 1 << 30, MaxDepth: 1000})
	if err != nil {
		return nil, Internalf(err)
	}
	return e, nil
}

// Internalf wraps an error that is the server's own fault, so that its text,
// even where it holds issues, is not shown.
func Internalf(err error) *Refusal {
	r := Refuse(Internal, fhir.Exception, "internal", fhir.Messagef("internal error", "内部エラー"))
	r.Err = err
	return r
}
