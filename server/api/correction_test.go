package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// blank empties a column of a CSV file that has its ids in the second line.
func blank(t *testing.T, data []byte, column string) []byte {
	t.Helper()
	lines := strings.Split(string(data), "\r\n")
	at := slices.Index(strings.Split(lines[1], ","), column)
	if at < 0 {
		t.Fatalf("no column %s", column)
	}
	for i := 2; i < len(lines); i++ {
		if cells := strings.Split(lines[i], ","); len(cells) > at {
			cells[at] = ""
			lines[i] = strings.Join(cells, ",")
		}
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// A value that a corrected LIFE file no longer has is gone with it.
func TestCorrectedLifeFile(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("day-care").Want(200)
	op, c := srv.As(servertest.Operator), srv.As("day-care")
	weights := c.Search("Observation?code=http://loinc.org|29463-7").Want(200).Keys("match")
	others := c.Search("Observation?code=http://loinc.org|8302-2").Want(200).Keys("match")
	if len(weights) == 0 || len(others) == 0 {
		t.Fatal("the samples have no weight or height")
	}
	files := filesOf(t, "day-care")
	for i := range files {
		if strings.HasPrefix(files[i].Name, "FORM_") {
			files[i].Data = blank(t, files[i].Data, "weight")
		}
	}
	c.Upload(files...).Want(200)
	for _, key := range weights {
		c.Read(key).Want(410)
		op.Read(key + "/_history/1").Want(200)
		same(t, "versions of "+key, op.Read(key+"/_history").Want(200).Total(), "2")
	}
	same(t, "heights", c.Search("Observation?code=http://loinc.org|8302-2").Keys("match"), others)
	c.Upload(filesOf(t, "day-care")...).Want(200)
	same(t, "weights after the first file again", len(c.Search("Observation?code=http://loinc.org|29463-7").Keys("match")), len(weights))
}

// Corrections take away what the same author derived from the same record,
// nothing else.
func TestCorrectionLeavesTheRestAlone(t *testing.T) {
	srv := servertest.Start(t)
	for _, name := range []string{"insurer", "care-manager", "day-care"} {
		srv.Intake(name).Want(200)
	}
	op, c := srv.As(servertest.Operator), srv.As("care-manager")
	goals := op.Search("Goal?_sort=_id&_count=1000").Want(200)
	patient := goals.Resource().Text("entry", "resource", "subject", "reference")
	var number string
	for e := range goals.Resource().All("entry") {
		if g := e.Get("resource"); g.Text("subject", "reference") == patient {
			number = g.Text("identifier", "value")
		}
	}
	plan := strings.Join(strings.Split(number, ":")[:3], ":")
	other := func(id, value string) string {
		return `{"resourceType":"Goal","id":"` + id + `","meta":{"security":[{"system":"` + care.FormSystem + `","code":"` + care.HomeCarePlan +
			`"}]},"identifier":[{"system":"` + care.CarePlanNumber + `","value":"` + value + `"}],"lifecycleStatus":"active","description":{"text":"x"},"subject":{"reference":"` + patient + `"}}`
	}
	op.Update(other("stranger", plan+":9:9:long")).Want(201) // another author's
	body := strings.Replace(other("x", plan+"9:9:9:long"), `"id":"x",`, "", 1)
	neighbour := c.Create(body).Want(201).ID() // a plan whose number begins alike
	stale := c.Create(strings.Replace(other("x", plan+":9:9:long"), `"id":"x",`, "", 1)).Want(201).ID()
	srv.Intake("care-manager").Want(200)
	c.Read("Goal/" + stale).Want(410)
	c.Read("Goal/" + neighbour).Want(200)
	op.Read("Goal/stranger").Want(200)
	for _, key := range goals.Keys("match") {
		op.Read(key).Want(200)
	}
}
