package sharing

import (
	"fmt"
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// ReadConsent reads what a Consent says. It refuses, with fhir.Issues whose ID
// starts with the number of the rule, one that names an unknown form, that
// contradicts itself, or whose effect would be unclear: a consent that cannot be
// understood must not be stored.
func (m *Matrix) ReadConsent(consent *fhir.Element) (Terms, error) {
	r := &consentReader{m: m}
	t := r.read(consent)
	if len(r.issues) > 0 {
		return Terms{}, r.issues
	}
	return t, nil
}

type consentReader struct {
	m      *Matrix
	issues fhir.Issues
}

func (r *consentReader) refuse(rule, expression, en, ja string, args ...any) {
	r.issues = append(r.issues, fhir.Issue{Severity: fhir.Error, Code: fhir.BusinessRule, ID: rule,
		Expression: expression, Message: fhir.Messagef("%s: "+en, "%s: "+ja, append([]any{rule}, args...)...)})
}

func (r *consentReader) read(c *fhir.Element) Terms {
	t := Terms{
		Patient: LocalID(c.Get("patient"), "Patient"),
		Taker:   LocalID(c.Get("organization"), "Organization"),
		Active:  c.Text("status") == "active",
	}
	for category := range c.All("category") {
		t.Comprehensive = t.Comprehensive || hasCoding(category, ConsentCategorySystem, ComprehensiveConsent)
	}
	if t.Patient == "" {
		r.refuse("R21", "Consent.patient", "a consent names the person it is of", "同意には利用者（Patient）が必要です")
	}
	t.Identified = r.identified(c)
	p := c.Get("provision")
	if p == nil {
		r.refuse("R21", "Consent.provision", "a consent says in provision what it permits or refuses", "同意には許可または拒否の内容（provision）が必要です")
		return t
	}
	r.provision(p, &t)
	r.contradictions(&t)
	return t
}

// identified reads how the person was identified, and that whoever performed
// the consent in the person's stead was (R24).
func (r *consentReader) identified(c *fhir.Element) string {
	how := ""
	for v := range c.All("verification") {
		if v.Text("verified") == "true" {
			how = IdentityCheck(v)
		}
	}
	if how != "" && !slices.Contains([]string{ByMyNumberCard, InPerson, ByRepresentative}, how) {
		r.refuse("R24", "Consent.verification", "%q is not a way to identify a person", "%q は本人確認の方法ではありません", how)
	}
	for by := range c.All("performer") {
		if LocalID(by, "RelatedPerson") != "" && how != ByRepresentative {
			r.refuse("R24", "Consent.performer", "who consents for the person must have been identified as the legal representative",
				"代理人による同意には法定代理人としての確認が必要です")
		}
	}
	return how
}

// IdentityCheck returns the value of the identity-check extension of an
// element, "" where it has none.
func IdentityCheck(e *fhir.Element) string {
	for x := range e.All("extension") {
		if x.Text("url") == IdentityCheckExtension {
			return x.Text("valueCode")
		}
	}
	return ""
}

func (r *consentReader) provision(p *fhir.Element, t *Terms) {
	const at = "Consent.provision"
	switch p.Text("type") {
	case "permit":
		t.Permit = true
	case "deny":
	default:
		r.refuse("R21", at+".type", "a provision either permits or denies", "provision.type は permit か deny でなければなりません")
	}
	t.Forms = r.forms(p, at)
	t.Recipients, t.Family = r.actors(p, at)
	t.Start, t.End = r.period(p.Get("period"))
	i := 0
	for inner := range p.All("provision") {
		where := fmt.Sprintf("%s.provision[%d]", at, i)
		i++
		if !t.Permit || inner.Text("type") != "deny" || inner.Get("provision") != nil || inner.Get("period") != nil {
			r.refuse("R22", where, "only refusals of forms or offices, without a period, may stand inside a permission",
				"許可の中に書けるのは、期間を持たない様式・事業所の拒否だけです")
			continue
		}
		x := Exception{Forms: r.forms(inner, where)}
		x.Recipients, _ = r.actors(inner, where)
		t.Except = append(t.Except, x)
	}
}

// forms reads the forms a provision is about, from securityLabel and code. A
// row with parts stands for its parts too.
func (r *consentReader) forms(p *fhir.Element, at string) []string {
	var codings []*fhir.Element
	for label := range p.All("securityLabel") {
		codings = append(codings, label)
	}
	for code := range p.All("code") {
		codings = slices.AppendSeq(codings, code.All("coding"))
	}
	var forms []string
	for _, c := range codings {
		row, ok := r.m.Row(c.Text("code"))
		if !ok || c.Text("system") != care.FormSystem {
			r.refuse("R22", at, "%q is not a form of the sharing matrix", "%q は共有の対象となる様式ではありません", c.Text("code"))
			continue
		}
		forms = append(forms, row.Code)
		for i := range r.m.Rows {
			if r.m.Rows[i].Parent == row.Code {
				forms = append(forms, r.m.Rows[i].Code)
			}
		}
	}
	return forms
}

// actors reads the recipients of a provision.
func (r *consentReader) actors(p *fhir.Element, at string) (organizations []string, family bool) {
	for a := range p.All("actor") {
		if hasCoding(a.Get("role"), roleSystem, familyMember) {
			family = true
			continue
		}
		id := LocalID(a.Get("reference"), "Organization")
		if id == "" || !hasCoding(a.Get("role"), participationSystem, informationRecip) {
			r.refuse("R5", at+".actor", "a recipient is an Organization with the role IRCP, or the family with the role FAMMEMB",
				"共有先は役割 IRCP の Organization、または役割 FAMMEMB の家族でなければなりません")
			continue
		}
		organizations = append(organizations, id)
	}
	return organizations, family
}

func (r *consentReader) period(p *fhir.Element) (start, end time.Time) {
	start, end, err := ReadPeriod(p)
	if err != nil {
		r.refuse("R22", "Consent.provision.period", "the period cannot be read, or ends before it starts", "期間が読み取れないか、終了が開始より前です")
	}
	return start, end
}

// contradictions refuses terms that say two things at once, or nothing.
func (r *consentReader) contradictions(t *Terms) {
	const at = "Consent.provision"
	if t.Family && (t.Permit || len(t.Recipients) > 0) {
		r.refuse("R12", at+".actor", "the family is only ever refused, in a consent of its own", "家族については、独立した同意による拒否だけを記録できます")
	}
	if t.Comprehensive && (len(t.Recipients) > 0 || !t.Permit) {
		r.refuse("R21", at+".actor", "a comprehensive consent permits and names no recipients", "包括的同意は許可であり、共有先を個別に指定しません")
	}
	if t.Permit && !t.Comprehensive && len(t.Recipients) == 0 {
		r.refuse("R5", at+".actor", "a consent to share names who may see", "共有への同意には共有先の指定が必要です")
	}
	for _, x := range t.Except {
		if x.Forms == nil && x.Recipients == nil {
			r.refuse("R22", at+".provision", "the consent refuses everything it permits", "許可した内容をすべて拒否しており、矛盾しています")
		}
		if t.Forms != nil && x.Forms != nil && slices.ContainsFunc(x.Forms, func(f string) bool { return !slices.Contains(t.Forms, f) }) {
			r.refuse("R22", at+".provision", "the consent refuses a form it does not permit", "許可していない様式を例外として拒否しています")
		}
		if len(t.Recipients) > 0 && slices.ContainsFunc(x.Recipients, func(o string) bool { return !slices.Contains(t.Recipients, o) }) {
			r.refuse("R22", at+".provision", "the consent refuses an organisation it does not permit", "許可していない組織を例外として拒否しています")
		}
	}
}
