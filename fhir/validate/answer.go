package validate

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// limits checks an answer against what the question says of its size.
func (x *response) limits(q, v *fhir.Element) {
	length := utf8.RuneCountInString(v.Value)
	if most, err := strconv.Atoi(q.Text("maxLength")); err == nil && v.Kind == fhir.String && length > most {
		x.fail(fhir.TooLong, "response-max-length", fhir.Messagef(
			"The answer is longer than %d characters", "回答が %d 文字を超えています", most))
	}
	if least, ok := intOf(q, "minLength"); ok && v.Kind == fhir.String && length < least {
		x.fail(fhir.Value, "response-min-length", fhir.Messagef(
			"The answer is shorter than %d characters", "回答が %d 文字に足りません", least))
	}
	if most, ok := intOf(q, "maxDecimalPlaces"); ok && v.Type.Name == "decimal" {
		if _, fraction, _ := strings.Cut(v.Value, "."); len(fraction) > most {
			x.fail(fhir.Value, "response-decimal-places", fhir.Messagef(
				"The answer has more than %d decimal places", "小数点以下が %d 桁を超えています", most))
		}
	}
	x.form(q, v)
	x.between(q, v)
	switch v.Type.Name {
	case "Attachment":
		x.attached(q, v)
	case "Reference":
		x.referred(q, v)
	case "Quantity":
		x.unit(q, v)
	}
}

// form checks an answer against the regular expression of the question.
// https://hl7.org/fhir/R4/extension-regex.html
func (x *response) form(q, v *fhir.Element) {
	rule := valueOf(extensionOf(q, "regex"))
	if rule == nil || v.Kind != fhir.String || v.Value == "" {
		return
	}
	pattern, err := regexp.Compile("^(?:" + rule.Value + ")$")
	if err != nil {
		return // not a pattern that Go knows
	}
	if !pattern.MatchString(v.Value) {
		x.fail(fhir.Value, "response-regex", fhir.Messagef(
			"The answer does not match the pattern '%s'", "回答が形式 '%s' に合いません", rule.Value))
	}
}

// between checks the least and greatest value.
func (x *response) between(q, v *fhir.Element) {
	for _, url := range []string{"minValue", "sdc-questionnaire-minQuantity"} {
		if least := valueOf(extensionOf(q, url)); least != nil {
			x.limit(v, least, -1, "response-min-value", "The answer is less than the minimum%s", "回答が最小値%sより小さいです")
		}
	}
	for _, url := range []string{"maxValue", "sdc-questionnaire-maxQuantity"} {
		if most := valueOf(extensionOf(q, url)); most != nil {
			x.limit(v, most, 1, "response-max-value", "The answer is greater than the maximum%s", "回答が最大値%sより大きいです")
		}
	}
}

// attached checks the kind and size of an attachment.
func (x *response) attached(q, v *fhir.Element) {
	var kinds []string
	for e := range q.All("extension") {
		if strings.HasSuffix(e.Text("url"), "/mimeType") {
			kinds = append(kinds, e.Text("valueCode"))
		}
	}
	if kind := v.Text("contentType"); kind != "" && len(kinds) > 0 && !slices.Contains(kinds, kind) {
		x.fail(fhir.Invalid, "response-mime-type", fhir.Messagef(
			"The kind of attachment is not allowed (allowed: %s)", "この種類の添付は許されません(許される種類: %s)", strings.Join(kinds, ", ")))
	}
	if most := valueOf(extensionOf(q, "maxSize")); most != nil {
		size := v.Text("size")
		if size == "" {
			size = strconv.Itoa(base64.StdEncoding.DecodedLen(len(v.Text("data"))))
		}
		limit, ok1 := number(most.Value)
		actual, ok2 := number(size)
		mega, _ := number("1048576")
		if ok1 && ok2 && actual.Cmp(limit.Mul(limit, mega)) > 0 {
			x.fail(fhir.TooLong, "response-max-size", fhir.Messagef(
				"The attachment is larger than %s MB", "添付が %s MB を超えています", most.Value))
		}
	}
}

// referred checks what an answer refers to.
func (x *response) referred(q, v *fhir.Element) {
	text := v.Text("reference")
	if strings.ContainsAny(text, " \t\r\n") {
		x.fail(fhir.Invalid, "response-reference", fhir.Messagef("This is not a reference", "参照の形式が正しくありません"))
	}
	name := typeSegment(text)
	if name == "" {
		return
	}
	if t, ok := r4.TypeByName(name); !ok || t.Kind != r4.Resource {
		x.fail(fhir.Invalid, "response-reference-type", fhir.Messagef(
			"'%s' is not a resource type", "'%s' はリソース型ではありません", name))
		return
	}
	var allowed []string
	for e := range q.All("extension") {
		if strings.HasSuffix(e.Text("url"), "/questionnaire-referenceResource") {
			allowed = append(allowed, e.Text("valueCode"))
		}
	}
	if len(allowed) > 0 && !slices.Contains(allowed, name) {
		x.fail(fhir.Structure, "response-reference-type", fhir.Messagef(
			"A %s must not be referred to here (allowed: %s)", "%s はここで参照できません(許される型: %s)", name, strings.Join(allowed, ", ")))
	}
}

// typeSegment is what stands in the place of the type in "…/Type/id".
func typeSegment(text string) string {
	text, _, _ = strings.Cut(text, "/_history/")
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, "urn:") {
		return ""
	}
	parts := strings.Split(text, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2]
}

// unit checks the unit of a quantity.
func (x *response) unit(q, v *fhir.Element) {
	set := valueOf(extensionOf(q, "questionnaire-unitValueSet"))
	if set == nil || v.Text("code") == "" {
		return
	}
	if x.inSet(v, set.Value) == terminology.No {
		x.fail(fhir.CodeInvalid, "response-unit", fhir.Messagef(
			"The unit is not one of the value set %s", "単位が値セット %s にありません", set.Value))
	}
}

// option checks an answer against the options of the question.
func (x *response) option(q, v *fhir.Element, kind string) {
	open := kind == "open-choice" && v.Type.Name == "string"
	if q.Get("answerOption") != nil && !open {
		for o := range q.All("answerOption") {
			if sameAnswer(valueOf(o), v) {
				return
			}
		}
		x.notAnOption()
		return
	}
	set := q.Text("answerValueSet")
	if set == "" || open {
		return
	}
	x.inOptions(set, v)
}

func (x *response) notAnOption() {
	x.fail(fhir.CodeInvalid, "response-option", fhir.Messagef(
		"The answer is not one of the options", "回答が選択肢の中にありません"))
}

// inOptions checks an answer against a value set, which may be contained in
// the questionnaire.
func (x *response) inOptions(set string, v *fhir.Element) {
	req := terminology.ValidateRequest{ValueSet: set}
	if id, ok := cutFragment(set); ok {
		for c := range x.questionnaire.All("contained") {
			if c.ID() == id {
				req.ValueSet, req.Resource = "", c
			}
		}
	}
	codings, bare, ok := codesOf(v)
	if req.ValueSet == set && strings.HasPrefix(set, "#") || !ok || len(codings) == 0 {
		return
	}
	req.Codings, req.InferSystem = codings, bare
	got, err := x.v.tx.Validate(x.ctx, req)
	if err != nil {
		return
	}
	for _, i := range got.Issues {
		if i.ID == terminology.IssueDisplay {
			x.report(i.Severity, i.Code, i.ID, i.Message)
		}
	}
	if got.Verdict == terminology.No {
		x.notAnOption()
	}
}

// sameAnswer compares an answer with an option: codings by system and code.
func sameAnswer(option, v *fhir.Element) bool {
	if option == nil || v == nil || option.Type == nil || v.Type == nil || option.Type.Name != v.Type.Name {
		return false
	}
	switch v.Type.Name {
	case "Coding":
		return option.Text("code") == v.Text("code") && option.Text("system") == v.Text("system")
	case "Reference":
		return option.Text("reference") == v.Text("reference")
	case "Quantity":
		order, ok := compareQuantity(v, option)
		return ok && order == 0
	}
	if order, ok := compareNumber(option.Value, v.Value); ok && v.Kind == fhir.Number {
		return order == 0
	}
	return option.Value == v.Value
}

// enabled tells whether an item is in use, given the answers so far.
// https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
func (x *response) enabled(q *fhir.Element) bool {
	conditions, met := 0, 0
	for when := range q.All("enableWhen") {
		conditions++
		if x.met(when) {
			met++
		}
	}
	if q.Text("enableBehavior") == "any" {
		return conditions == 0 || met > 0
	}
	return met == conditions
}

func (x *response) met(when *fhir.Element) bool {
	answers := x.answersTo(when.Text("question"))
	var want *fhir.Element
	for _, c := range when.Children {
		if strings.HasPrefix(c.Name, "answer") {
			want = c
		}
	}
	op := when.Text("operator")
	if op == "exists" {
		return (len(answers) > 0) == (want != nil && want.Value == "true")
	}
	if op == "!=" {
		return !slices.ContainsFunc(answers, func(v *fhir.Element) bool { return sameAnswer(want, v) })
	}
	return slices.ContainsFunc(answers, func(v *fhir.Element) bool { return satisfies(v, op, want) })
}

func satisfies(v *fhir.Element, op string, want *fhir.Element) bool {
	if op == "=" {
		return sameAnswer(want, v)
	}
	if want == nil {
		return false
	}
	order, ok := compare(v, want)
	if !ok {
		return false
	}
	switch op {
	case ">":
		return order > 0
	case "<":
		return order < 0
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	}
	return false
}

// answersTo finds the answers to a question: in the innermost of the scopes
// that has the item.
func (x *response) answersTo(linkID string) []*fhir.Element {
	for i := len(x.scopes) - 1; i >= 0; i-- {
		found := false
		var out []*fhir.Element
		x.scopes[i].Walk(func(c *fhir.Element) bool {
			if c.Name == "item" && c.Text("linkId") == linkID {
				found = true
				for a := range c.All("answer") {
					if v := valueOf(a); v != nil {
						out = append(out, v)
					}
				}
			}
			return c == x.scopes[i] || c.Name == "item" || c.Name == "answer"
		})
		if found {
			return out
		}
	}
	return nil
}
