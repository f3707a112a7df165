package terminology

import (
	"context"
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Validate implements Service.
func (m *Memory) Validate(_ context.Context, req ValidateRequest) (Validation, error) {
	var set *valueSet
	var out Validation
	if req.ValueSet != "" || req.Resource != nil {
		vs, err := m.set(req.ValueSet, req.Resource)
		if err != nil {
			out.add(-1, fhir.Information, fhir.NotFound, IssueUnknownValueSet, fhir.Messagef(
				"The value set %s is not known here, so the code was not checked against it",
				"値セット %s が手元にないため、コードを照合していません", req.ValueSet))
			m.checkSystems(&out, req)
			return out, nil
		}
		set = vs
	}
	out.Verdict = No
	for i, c := range req.Codings {
		v := m.checkOne(&out, set, i, c, req)
		if out.Verdict != Yes {
			out.Verdict = out.Verdict.or(v)
		}
	}
	if set != nil && out.Verdict == No {
		out.add(-1, fhir.Error, fhir.CodeInvalid, IssueNotInValueSet, notIn(set, req))
	}
	return out, nil
}

func notIn(set *valueSet, req ValidateRequest) fhir.Message {
	name := set.url
	if set.name != "" {
		name = set.name + " (" + set.url + ")"
	}
	if len(req.Codings) == 1 {
		c := req.Codings[0]
		return fhir.Messagef("The code '%s' is not in the value set %s",
			"コード '%s' は値セット %s に含まれていません", systemAndCode(c), name)
	}
	return fhir.Messagef("None of the codings is in the value set %s",
		"どのコードも値セット %s に含まれていません", name)
}

func systemAndCode(c Coding) string {
	if c.System == "" {
		return shown(c.Code)
	}
	return c.System + "#" + shown(c.Code)
}

// shown is a code as it may stand in a message: messages must not hold
// personal data, and where a code is wrong it may be anything, a name even.
func shown(code string) string {
	const most = 64
	if len(code) > most {
		return "…"
	}
	for _, c := range code {
		if c <= ' ' || c > '~' {
			return "…"
		}
	}
	return code
}

// checkSystems checks codings whose value set is not known against their code
// systems; the verdict stays Unknown.
func (m *Memory) checkSystems(out *Validation, req ValidateRequest) {
	for i, c := range req.Codings {
		if c.System != "" {
			m.inSystem(out, i, c, req.Language)
		}
	}
}

// checkOne checks one coding against its code system and the set.
func (m *Memory) checkOne(out *Validation, set *valueSet, i int, c Coding, req ValidateRequest) Verdict {
	if set == nil {
		v := m.inSystem(out, i, c, req.Language)
		if v == Yes {
			out.match(c)
		}
		return v
	}
	q := &member{m: m, within: []string{set.url}}
	v := No
	switch {
	case c.System != "":
		// A code that the system does not have is said so, besides.
		if m.inSystem(out, i, c, req.Language) == No {
			return No
		}
		v = q.setHas(set, c)
	case req.InferSystem:
		found, in := q.infer(set, c.Code)
		if v = in; in == Yes {
			c.System = found.System
			m.inSystem(out, i, c, req.Language)
		}
	}
	if v == Yes {
		out.match(c)
	}
	if v == Unknown && q.why != nil {
		out.add(i, fhir.Information, fhir.NotSupported, IssueUnknownSystem, fhir.Message{
			En: fmt.Sprintf("The code '%s' could not be checked: %v", systemAndCode(c), q.why),
			Ja: fmt.Sprintf("コード '%s' は、必要なコードシステムまたは値セットが手元にないため照合できません", systemAndCode(c)),
		})
	}
	return v
}

// inSystem checks a coding against its code system, its display included.
func (m *Memory) inSystem(out *Validation, i int, c Coding, lang string) Verdict {
	cs, ok := m.system(withVersion(c.System, c.Version))
	if !ok {
		return m.inGrammar(out, i, c)
	}
	at, ok := cs.find(c.Code)
	if !ok {
		if !cs.complete() {
			return m.inGrammar(out, i, c)
		}
		out.unknownCode(i, c)
		return No
	}
	found := &cs.concepts[at]
	if c.Display != "" && !found.accepts(c.Display) {
		out.add(i, fhir.Warning, fhir.Invalid, IssueDisplay, fhir.Messagef(
			"The display is none of %s; the code system says '%s'",
			"display が %s の表示名ではありません。コードシステムの表示名は '%s' です", systemAndCode(c), found.displayIn(cs.language, lang)))
	}
	if found.inactive {
		out.add(i, fhir.Information, fhir.BusinessRule, IssueInactive, fhir.Messagef(
			"The code %s is no longer active", "コード %s は現在使われていません", systemAndCode(c)))
	}
	return Yes
}

func (m *Memory) inGrammar(out *Validation, i int, c Coding) Verdict {
	g, ok := grammars()[c.System]
	if !ok {
		return Unknown
	}
	if _, ok := g(c.Code); !ok {
		out.unknownCode(i, c)
		return No
	}
	return Yes
}

func (v *Validation) unknownCode(i int, c Coding) {
	v.add(i, fhir.Error, fhir.CodeInvalid, IssueUnknownCode, fhir.Messagef(
		"The code system %s has no code '%s'", "コードシステム %s にコード '%s' はありません", c.System, shown(c.Code)))
}

func (v *Validation) match(c Coding) {
	if v.Match.Code == "" {
		v.Match = c
	}
}

func (v *Validation) add(coding int, sev fhir.Severity, code fhir.Code, id string, msg fhir.Message) {
	v.Issues = append(v.Issues, fhir.Issue{Severity: sev, Code: code, ID: id, Message: msg})
	v.Coding = append(v.Coding, coding)
}
