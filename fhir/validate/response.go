package validate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// response checks a QuestionnaireResponse against its Questionnaire.
// https://hl7.org/fhir/R4/questionnaireresponse.html#link
type response struct {
	*run
	questionnaire *fhir.Element
	done          bool // the response is said to be complete
	linkIDs       map[string]bool
	// scopes are the response elements around the one at hand, outermost
	// first: where conditions look for answers.
	scopes []*fhir.Element
}

func (r *run) questionnaireResponse(e *fhir.Element) {
	canonical := e.Text("questionnaire")
	if canonical == "" {
		return
	}
	q := r.findQuestionnaire(canonical)
	if q == nil {
		r.warn(fhir.NotFound, "questionnaire-unknown", fhir.Messagef(
			"The questionnaire %s is not known, so the answers were not checked", "質問票 %s が手元にないため回答を検査していません", canonical))
		return
	}
	if q.ResourceType() != "Questionnaire" {
		return // the type of the canonical is checked as such
	}
	status := e.Text("status")
	x := &response{run: r, questionnaire: q, done: status == "completed" || status == "amended", linkIDs: map[string]bool{}}
	q.Walk(func(c *fhir.Element) bool {
		if c.Name == "item" {
			x.linkIDs[c.Text("linkId")] = true
		}
		return c == q || c.Name == "item"
	})
	x.items(q, e)
}

func (r *run) findQuestionnaire(canonical string) *fhir.Element {
	if id, ok := cutFragment(canonical); ok {
		return r.contained(id)
	}
	if q, ok := r.v.catalog.find(canonical); ok {
		return q
	}
	if r.v.cfg.Resolve != nil {
		if q, ok := r.v.cfg.Resolve(r.ctx, canonical); ok {
			return q
		}
	}
	return nil
}

// items checks the response items of one level, those of a holder on which
// the run stands, against the questionnaire items of that level.
func (x *response) items(q, holder *fhir.Element) {
	x.scopes = append(x.scopes, holder)
	defer func() { x.scopes = x.scopes[:len(x.scopes)-1] }()
	groups := map[string][]step{}
	order := x.order(q)
	last, index := -1, -1
	for item := range holder.All("item") {
		index++
		id := item.Text("linkId")
		at, ok := order[id]
		if !ok {
			x.misplaced(item, id)
			continue
		}
		if at < last {
			x.failAt(item, fhir.Structure, "response-order", fhir.Messagef(
				"The items do not stand in the order of the questionnaire", "項目が質問票の順に並んでいません"))
		}
		last = max(last, at)
		groups[id] = append(groups[id], step{item, index})
	}
	for item := range q.All("item") {
		x.group(item, groups[item.Text("linkId")])
	}
}

func (x *response) order(q *fhir.Element) map[string]int {
	out := map[string]int{}
	for item := range q.All("item") {
		out[item.Text("linkId")] = len(out)
	}
	return out
}

func (x *response) misplaced(item *fhir.Element, id string) {
	if x.linkIDs[id] {
		x.failAt(item, fhir.Structure, "response-place", fhir.Messagef(
			"The item '%s' is in the wrong place", "項目 '%s' の場所が質問票と異なります", id))
		return
	}
	x.failAt(item, fhir.NotFound, "response-link-id", fhir.Messagef(
		"The questionnaire has no item '%s'", "質問票に項目 '%s' はありません", id))
}

// group checks the response items for one questionnaire item.
func (x *response) group(q *fhir.Element, items []step) {
	if !x.enabled(q) {
		for _, item := range items {
			if item.e.Get("answer") != nil || item.e.Get("item") != nil {
				x.failAt(item.e, fhir.Invalid, "response-disabled", fhir.Messagef(
					"The item has an answer although it is not enabled", "有効でない項目に回答があります"))
			}
		}
		return
	}
	id, kind := q.Text("linkId"), q.Text("type")
	if len(items) == 0 {
		if q.Text("required") == "true" && kind != "display" && x.done {
			x.fail(fhir.Required, "response-required", fhir.Messagef(
				"The required item '%s' has no answer", "必須項目 '%s' に回答がありません", id))
		}
		return
	}
	if len(items) > 1 && !(kind == "group" && q.Text("repeats") == "true") {
		x.failAt(items[1].e, fhir.Structure, "response-item-repeats", fhir.Messagef(
			"The item '%s' must occur only once", "項目 '%s' は一度しか使えません", id))
	}
	x.occurs(q, items)
	for _, item := range items {
		x.push(item.e, item.index)
		x.item(q, item.e)
		x.pop()
	}
}

// occurs checks minOccurs and maxOccurs.
// https://hl7.org/fhir/R4/extension-questionnaire-maxoccurs.html
func (x *response) occurs(q *fhir.Element, items []step) {
	n := len(items)
	if q.Text("type") != "group" {
		n = 0
		for _, item := range items {
			for range item.e.All("answer") {
				n++
			}
		}
	}
	if most, ok := intOf(q, "questionnaire-maxOccurs"); ok && n > most {
		x.failAt(items[0].e, fhir.Structure, "response-max-occurs", fhir.Messagef(
			"At most %d answers are allowed but there are %d", "回答は %d 個までですが %d 個あります", most, n))
	}
	if least, ok := intOf(q, "questionnaire-minOccurs"); ok && n < least && x.done {
		x.failAt(items[0].e, fhir.Required, "response-min-occurs", fhir.Messagef(
			"At least %d answers are needed but there are %d", "回答は %d 個以上必要ですが %d 個です", least, n))
	}
}

func intOf(e *fhir.Element, extension string) (int, bool) {
	v := valueOf(extensionOf(e, extension))
	if v == nil {
		return 0, false
	}
	n, err := strconv.Atoi(v.Value)
	return n, err == nil
}

// item checks one response item, on which the run stands.
func (x *response) item(q, item *fhir.Element) {
	kind := q.Text("type")
	if text := item.Text("text"); text != "" && q.Text("text") != "" && text != q.Text("text") {
		x.failAt(item.Get("text"), fhir.Invalid, "response-text", fhir.Messagef(
			"The text is not that of the questionnaire", "text が質問票と異なります"))
	}
	answered := item.Get("answer") != nil
	switch kind {
	case "group", "display":
		if answered {
			x.fail(fhir.Structure, "response-answer-not-allowed", fhir.Messagef(
				"An item of type '%s' has no answers", "型 '%s' の項目は回答を持てません", kind))
		}
		if kind == "group" {
			if q.Text("required") == "true" && item.Get("item") == nil && x.done {
				x.fail(fhir.Required, "response-group-empty", fhir.Messagef(
					"The required group has no items", "必須のグループに項目がありません"))
			}
			x.items(q, item)
		}
		return
	}
	if !answered && q.Text("required") == "true" && x.done {
		x.fail(fhir.Required, "response-required", fhir.Messagef(
			"The required item '%s' has no answer", "必須項目 '%s' に回答がありません", q.Text("linkId")))
	}
	if item.Get("item") != nil {
		x.fail(fhir.Structure, "response-item-place", fhir.Messagef(
			"Items below a question belong into its answer", "質問の下の項目は answer の中に置きます"))
	}
	x.answers(q, item)
}

func (x *response) answers(q, item *fhir.Element) {
	n := 0
	for answer := range item.All("answer") {
		x.push(answer, n)
		if n == 1 && q.Text("repeats") != "true" {
			x.fail(fhir.Structure, "response-answer-repeats", fhir.Messagef(
				"Only one answer is allowed", "回答は一つだけです"))
		}
		if v := valueOf(answer); v != nil {
			x.push(v, -1)
			x.answer(q, v)
			x.pop()
		}
		x.items(q, answer)
		x.pop()
		n++
	}
}

// answerTypes are the types of the answers to a type of question.
// https://hl7.org/fhir/R4/valueset-item-type.html
var answerTypes = map[string][]string{
	"boolean": {"boolean"}, "decimal": {"decimal"}, "integer": {"integer"}, "date": {"date"},
	"dateTime": {"dateTime"}, "time": {"time"}, "string": {"string"}, "text": {"string"}, "url": {"uri"},
	"choice": {"Coding", "date", "time", "integer", "string", "Reference"}, "open-choice": {"Coding", "string", "date", "time", "integer", "Reference"},
	"attachment": {"Attachment"}, "reference": {"Reference"}, "quantity": {"Quantity"},
}

// answer checks a value, on which the run stands.
func (x *response) answer(q, v *fhir.Element) {
	kind := q.Text("type")
	if types := answerTypes[kind]; types != nil && !slices.Contains(types, v.Type.Name) {
		x.fail(fhir.Structure, "response-answer-type", fhir.Messagef(
			"The answer must be of type %s, not %s", "回答の型は %s でなければなりません(実際: %s)", strings.Join(types, ", "), v.Type.Name))
		return
	}
	x.limits(q, v)
	x.option(q, v, kind)
}
