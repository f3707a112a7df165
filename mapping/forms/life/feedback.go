package life

import (
	"encoding/base64"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

const feedbackTitle = "LIFE 利用者フィードバック票"

// feedback adds the sheet that the person, the family and the municipality are
// given in place of the raw record: the values in words, beside those of the
// evaluation before.
func (o *out) feedback() {
	var n form.Narrative
	n.Heading(feedbackTitle)
	n.Paragraph("評価日：" + codes.ToWareki(o.evaluated()))
	o.sayADL(&n)
	if o.Sheet == Promotion() {
		o.sayBody(&n)
		o.sayMind(&n)
	}

	d := form.New("DocumentReference", care.LifeFeedbackProfile, care.LifeFeedback)
	n.Put(d)
	number := o.number() + ":feedback"
	form.Identify(d, care.LifeRecordNumber, number)
	d.Set("status", "current").Set("docStatus", "final")
	kind, _ := codes.Forms().Lookup(care.LifeFeedback)
	form.Coded(d, "type", codes.Forms(), kind)
	form.Coded(d, "category", codes.Forms(), kind)
	form.Link(d, "subject", o.patient)
	written := o.evaluated() + "T00:00:00+09:00" // the form gives the day only
	d.Set("date", written)
	form.Link(d, "author", o.office)
	form.Link(d, "custodian", o.office)
	attach(d, n.Page(feedbackTitle), written)
	form.Period(d.Add("context"), "period", o.evaluated(), o.evaluated())
	o.bundle.Put(d, care.LifeRecordNumber, number, "")
}

func attach(d *fhir.Element, page, written string) {
	d.Add("content").Add("attachment").Set("contentType", "text/html; charset=utf-8").Set("language", "ja").
		Set("data", base64.StdEncoding.EncodeToString([]byte(page))).Set("size", strconv.Itoa(len(page))).
		Set("title", feedbackTitle).Set("creation", written)
}

func (o *out) before() *out {
	if o.previous == nil {
		return nil
	}
	return &out{record: *o.previous}
}

// beside puts a value beside the one of the evaluation before.
func beside(now, before string) string {
	if now == "" || before == "" {
		return now
	}
	return now + "（前回 " + before + "）"
}

func (o *out) sayADL(n *form.Narrative) {
	score := func(o *out) string {
		if o == nil {
			return ""
		}
		if total, ok := o.total(); ok {
			return strconv.Itoa(total) + "点"
		}
		return ""
	}
	rows := [][2]string{{"合計（100点満点）", beside(score(o), score(o.before()))}}
	for _, b := range barthelItems {
		before := ""
		if p := o.before(); p != nil {
			before = p.Say(b.id)
		}
		rows = append(rows, [2]string{b.name, beside(o.Say(b.id), before)})
	}
	n.Heading("日常生活の動作")
	n.Table(rows...)
}

func (o *out) sayBody(n *form.Narrative) {
	value := func(id, unit string) string {
		with := func(o *out) string {
			if o == nil || o.Text(id) == "" {
				return ""
			}
			return form.DecimalValue(o.Text(id)) + unit
		}
		return beside(with(o), with(o.before()))
	}
	bmi, _ := o.bmi()
	n.Heading("からだと栄養")
	n.Table([2]string{"身長", value("height", "cm")}, [2]string{"体重", value("weight", "kg")}, [2]string{"体格指数（BMI）", bmi},
		[2]string{"低栄養のおそれ", o.Say("low_operating_risk_level")}, [2]string{"血清アルブミン", value("serum_albumin_value", "g/dL")},
		[2]string{"食事の形態", o.Say("meal_form")})
}

func (o *out) sayMind(n *form.Narrative) {
	rows := [][2]string{{"障害高齢者の日常生活自立度", o.Say("impaired_elderly_independence_degree")}, {"認知症高齢者の日常生活自立度", o.Say("dementia_elderly_independence_degree")}}
	for i, v := range vitalityItems {
		rows = append(rows, [2]string{"意欲：" + v.name, o.Say(numbered("vitality_index_", i))})
	}
	n.Heading("こころと意欲")
	n.Table(rows...)
}
