package policy

import (
	"context"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// MayWrite refuses, with fhir.Issues of code forbidden or security, a write the
// scopes or the matrix do not give the caller. For a delete, resource is the
// version deleted. The caller has checked that the caller can see what it
// changes. A reference to a patient whom the caller does not see is not refused
// here: registering needs no consent (R26), and what may refer to whom is for
// the interaction to check.
func (p *Policy) MayWrite(ctx context.Context, c Caller, a Action, resource *fhir.Element, l search.Labels) error {
	if c.Unrestricted {
		return nil
	}
	t, form := resource.ResourceType(), baseForm(l.Form)
	if !c.Scopes.AllowForm(t, a, form) || c.author() == "" {
		return forbidden("scope", fhir.Messagef("the access token's scopes do not allow this on %s",
			"アクセストークンのスコープでは %s に対するこの操作はできません", t))
	}
	p.view.mu.Lock()
	defer p.view.mu.Unlock()
	if err := p.view.catchUp(ctx); err != nil {
		return err
	}
	w := &write{p.matrix, p.view, &c, a, resource, l}
	switch {
	case t == "AuditEvent" || slices.Contains(definitionTypes, t):
		return forbidden("operator", fhir.Messagef("only the operator writes %s", "%s を書き込めるのは運用者だけです", t))
	case slices.Contains(directoryTypes, t):
		return w.directory()
	case t == "Patient":
		return w.patient()
	case t == "Consent":
		return w.consent()
	case t == "EpisodeOfCare":
		return w.registration()
	case form != "":
		return w.form(form)
	}
	return w.own()
}

func forbidden(rule string, m fhir.Message) error { return refusal(fhir.Forbidden, rule, "", m) }

// write is one write under decision.
type write struct {
	matrix   *sharing.Matrix
	view     *view
	caller   *Caller
	action   Action
	resource *fhir.Element
	labels   search.Labels
}

func (w *write) on(a aspect, patient string) bool {
	r := w.view.rosters[rosterKey{w.caller.Organization, a, ""}]
	return r != nil && r.contains(patient)
}

// insures reports whether the caller is the insurer of a person.
func (w *write) insures(patient string) bool {
	return w.caller.Kind == Municipality && w.on(insured, patient)
}

// is reports whether the caller is the person or the person's representative.
func (w *write) is(patient string) bool {
	return w.caller.Kind == Person && patient != "" && w.caller.Patient == patient && w.caller.Acting != AsFamily
}

// own lets an author create and change what is its own. A create has another
// author where an id is used again after a deletion.
func (w *write) own() error {
	if w.labels.Author == w.caller.author() {
		return nil
	}
	return forbidden("R3", fhir.Messagef("R3: only who made a record changes it", "R3: 記録を変更できるのは作成者だけです"))
}

// form decides a record of a care form: kinds that author the form write it,
// each its own records.
func (w *write) form(form string) error {
	row, ok := w.matrix.Row(form)
	if !ok {
		return forbidden("R1", fhir.Messagef("R1: the form is not one of the sharing matrix", "R1: 共有の対象となる様式ではありません"))
	}
	rel, ok := row.MayAuthor(sharing.Actor(w.caller.Kind))
	if !ok {
		return forbidden("R3", fhir.Messagef("R3: the form %s is not made by callers of kind %s",
			"R3: 様式 %s は種別 %s の作成する様式ではありません", form, w.caller.Kind))
	}
	for _, patient := range w.labels.Patients {
		if w.caller.Kind == Person && !w.is(patient) {
			return forbidden("R5", fhir.Messagef("R5: a person's client writes records of that person only", "R5: 本人の記録だけを書き込めます"))
		}
		if rel == sharing.CareProvider && !w.on(careProvided, patient) {
			return forbidden("R3", fhir.Messagef("R3: only an institution that delivers care services to the person makes the form %s",
				"R3: 様式 %s を作成できるのは、利用者に介護サービスを提供する医療機関だけです", form))
		}
	}
	return w.own()
}

// directory decides Organization, Practitioner and PractitionerRole: who
// registered them changes them, an organisation also changes its own entry.
func (w *write) directory() error {
	if w.resource.ResourceType() == "Organization" && w.action == ActionUpdate && w.resource.ID() == w.caller.Organization {
		return nil
	}
	return w.own()
}

// patient decides a Patient: any organisation registers one (R26); who
// registered it and its insurer change it.
func (w *write) patient() error {
	if w.caller.Kind == Person {
		return forbidden("R3", fhir.Messagef("R3: a person's client does not change the Patient", "R3: 本人のクライアントは Patient を変更できません"))
	}
	if w.action == ActionUpdate && w.insures(w.resource.ID()) {
		return nil
	}
	return w.own()
}

// consent decides a Consent. The person and the representative write any about
// the person; an organisation records one it took, for itself or, as the
// insurer, for anybody, and must have checked who consents (R24). Organisations
// then only end a consent: other terms are a new one. None is deleted (R30).
func (w *write) consent() error {
	t, err := w.matrix.ReadConsent(w.resource)
	if err != nil {
		return err
	}
	if err := w.kept(t.Patient); err != nil || w.is(t.Patient) {
		return err
	}
	organization := w.caller.Organization
	named := organization != "" && (t.Taker == organization || slices.Contains(t.Recipients, organization))
	foreign := slices.ContainsFunc(t.Recipients, func(o string) bool { return o != organization })
	switch {
	case !named && !w.insures(t.Patient), foreign && !w.insures(t.Patient):
		return forbidden("R21", fhir.Messagef("R21: a consent is written by the person, the organisation that took it for itself, or the insurer",
			"R21: 同意を記録できるのは本人・自らへの同意を取得した組織・保険者だけです"))
	case w.action == ActionUpdate && t.Active:
		return forbidden("R22", fhir.Messagef("R22: an organisation only ends a consent; other terms are a new consent",
			"R22: 組織は同意を終了することだけができます。内容の変更は新しい同意として記録してください"))
	case w.action == ActionCreate && t.Permit && t.Identified == "":
		return forbidden("R24", fhir.Messagef("R24: the consent does not say how the person was identified", "R24: 本人確認の方法が記録されていません"))
	}
	return nil
}

// registration decides an EpisodeOfCare. Person and insurer write any about the
// person; an organisation registers itself, after checking who the person is
// (R24), and ends its registration. An evacuation it does not record itself.
func (w *write) registration() error {
	g, err := sharing.ReadRegistration(w.resource)
	if err != nil {
		return err
	}
	if err := w.kept(g.Patient); err != nil || w.is(g.Patient) || w.insures(g.Patient) {
		return err
	}
	switch {
	case g.Organization != w.caller.Organization || w.caller.Organization == "":
		return forbidden("R5", fhir.Messagef("R5: a registration is written by the person, the organisation itself, or the insurer",
			"R5: 担当の登録ができるのは本人・当該組織・保険者だけです"))
	case w.action == ActionUpdate && g.Active:
		return forbidden("R5", fhir.Messagef("R5: an organisation only ends its registration; to renew it, register anew",
			"R5: 組織は登録を終了することだけができます。更新は新しい登録として記録してください"))
	case g.Role == sharing.RoleEvacuation && w.action == ActionCreate && !w.matrix.On("evacuation-self-claim"):
		return forbidden("R7", fhir.Messagef("R7: an evacuation is recorded by the insurer, the person or the operator",
			"R7: 避難の登録ができるのは保険者・本人・運用者だけです"))
	case w.action == ActionCreate && g.Identified == "" && g.Role != sharing.RoleEvacuation:
		return forbidden("R24", fhir.Messagef("R24: the registration does not say how the person was identified", "R24: 本人確認の方法が記録されていません"))
	}
	return nil
}

// kept refuses to delete a consent or registration, or to move it to another
// person.
func (w *write) kept(patient string) error {
	if w.action == ActionDelete {
		return forbidden("R30", fhir.Messagef("R30: consents and registrations are ended, not deleted", "R30: 同意と登録は削除せず、終了してください"))
	}
	key := store.Key{Type: w.resource.ResourceType(), ID: w.resource.ID()}
	if before, ok := w.view.facts[key]; ok && w.action == ActionUpdate && before != patient {
		return forbidden("R5", fhir.Messagef("R5: a consent or registration stays with its person", "R5: 同意と登録の対象者は変更できません"))
	}
	return nil
}
