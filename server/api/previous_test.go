package api_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// pagesBy follows a link as long as there is one.
func pagesBy(t *testing.T, c *servertest.Client, from, relation string) []*servertest.Response {
	t.Helper()
	var pages []*servertest.Response
	for link := from; link != ""; link = pages[len(pages)-1].Link(relation) {
		pages = append(pages, c.Search(link).Want(200))
		if len(pages) > 1000 {
			t.Fatal("no end of pages")
		}
	}
	return pages
}

// TestPreviousPages: the way back shows the same pages as the way there, also
// when others write, and from the middle the way on is the same again.
func TestPreviousPages(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for i := range 23 {
		c.Update(fmt.Sprintf(`{"resourceType":"CodeSystem","id":"c%02d","status":"draft","content":"not-present"}`, i)).Want(201)
	}
	for _, query := range []string{
		"CodeSystem?status=draft&_count=3",
		"CodeSystem?_sort=-_id&_count=5&_total=none",
		"CodeSystem?_sort=_id&_count=2&_id=c00,c05,c22,data-types,group-type,device-status", // ends in definitions of the server
		"?_type=CodeSystem&_count=7",
	} {
		there := pagesBy(t, c, query, "next")
		if first := there[0]; first.Link("previous") != "" || len(there) < 3 {
			t.Fatalf("%s: %d pages, previous of the first %q", query, len(there), first.Link("previous"))
		}
		c.Update(`{"resourceType":"CodeSystem","id":"c00","status":"active","content":"not-present"}`).Want(200)
		c.Update(`{"resourceType":"CodeSystem","id":"more","status":"draft","content":"not-present"}`)
		back := pagesBy(t, c, there[len(there)-1].Link("self"), "previous")
		slices.Reverse(back)
		same(t, query+": pages", len(back), len(there))
		for i := range there {
			same(t, query+": page "+strconv.Itoa(i), back[i].Keys("match"), there[i].Keys("match"))
			same(t, query+": total", back[i].Total(), there[i].Total())
		}
		again := pagesBy(t, c, back[1].Link("self"), "next")
		same(t, query+": on again", again[len(again)-1].Keys("match"), there[len(there)-1].Keys("match"))
		c.Update(`{"resourceType":"CodeSystem","id":"c00","status":"draft","content":"not-present"}`).Want(200)
		c.Delete("CodeSystem/more").Want(204)
	}
}

// TestPreviousIsBounded: links do not grow with the number of pages.
func TestPreviousIsBounded(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for i := range 120 {
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p%03d","name":[{"family":"%0100d"}]}`, i, i)).Want(201)
	}
	there := pagesBy(t, c, "Patient?_sort=family&_count=1", "next")
	same(t, "pages", len(there), 120)
	longest := 0
	for _, page := range there {
		longest = max(longest, len(page.Link("next")), len(page.Link("previous")))
	}
	if longest > 3500 {
		t.Errorf("a link of %d bytes", longest)
	}
	back := pagesBy(t, c, there[119].Link("self"), "previous")
	if len(back) < 5 || len(back) > 119 {
		t.Errorf("%d pages back", len(back))
	}
	for i, page := range back {
		same(t, "page", page.Keys("match"), there[119-i].Keys("match"))
	}
}
