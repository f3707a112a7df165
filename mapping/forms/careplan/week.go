package careplan

import (
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// days are the weekdays of the third sheet, 1 to 7, as FHIR codes.
var days = map[string]string{"1": "mon", "2": "tue", "3": "wed", "4": "thu", "5": "fri", "6": "sat", "7": "sun"}

// week adds the third sheet: services of the week, each with the days and
// hours it is given, what the person does in the course of a day, and services
// that are not weekly.
func week(c *fhir.Element, rows []form.Record) {
	weekly := map[string]*fhir.Element{}
	for _, r := range rows {
		if service := r.Text("service"); service != "" {
			slot := service + "\x00" + r.Text("from") + "\x00" + r.Text("to")
			repeat, ok := weekly[slot]
			if !ok {
				d := activity(c, service, "3")
				repeat = d.Add("scheduledTiming").Add("repeat")
				hours(repeat, r.Text("from"), r.Text("to"))
				repeat.Set("frequency", "1").Set("period", "1").Set("periodUnit", "wk")
				weekly[slot] = repeat
			}
			if day, ok := days[r.Text("weekday")]; ok {
				repeat.Add("dayOfWeek").SetValue(day)
				repeat.Set("frequency", strconv.Itoa(count(repeat)))
			}
		}
		if text := r.Text("activity"); text != "" {
			repeat := activity(c, text, "3-daily").Add("scheduledTiming").Add("repeat")
			hours(repeat, r.Text("activity-from"), r.Text("activity-to"))
			repeat.Set("frequency", "1").Set("period", "1").Set("periodUnit", "d")
		}
		if text := r.Text("other"); text != "" {
			activity(c, text, "3-other")
		}
	}
}

func activity(c *fhir.Element, text, sheet string) *fhir.Element {
	d := c.Add("activity").Add("detail")
	form.ExtendValue(d, care.PlanSheetExtension, "valueCode", sheet)
	d.Set("status", "scheduled").Set("description", text)
	return d
}

func count(repeat *fhir.Element) int {
	n := 0
	for range repeat.All("dayOfWeek") {
		n++
	}
	return n
}

// hours says when something begins and how long it takes. An end before the
// beginning is on the next day.
func hours(repeat *fhir.Element, from, to string) {
	start, ok := codes.Clock(from)
	if !ok {
		return
	}
	repeat.Add("timeOfDay").SetValue(start)
	if minutes := (clock(to) - clock(from) + 24*60) % (24 * 60); to != "" && minutes > 0 {
		repeat.Set("duration", strconv.Itoa(minutes)).Set("durationUnit", "min")
	}
}

func clock(hhmm string) int {
	if len(hhmm) != 4 {
		return 0
	}
	h, _ := strconv.Atoi(hhmm[:2])
	m, _ := strconv.Atoi(hhmm[2:])
	return h*60 + m
}
