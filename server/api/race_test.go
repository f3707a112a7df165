package api_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// together runs n requests at once and returns how often each status came.
func together(n int, request func(i int) int) map[int]int {
	var mu sync.Mutex
	count := map[int]int{}
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			status := request(i)
			mu.Lock()
			count[status]++
			mu.Unlock()
		})
	}
	close(start)
	wg.Wait()
	return count
}

func TestRaceConditionalCreates(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	got := together(20, func(int) int {
		return c.Create(`{"resourceType":"Patient","identifier":[{"system":"http://example.org/p","value":"1"}]}`,
			"If-None-Exist: identifier=http://example.org/p|1").Status
	})
	same(t, "statuses", got, map[int]int{201: 1, 200: 19})
	same(t, "resources", c.Search("Patient").Total(), "1")
}

func TestRaceTransactionsWithConditionalCreates(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	got := together(20, func(i int) int {
		return c.Post(bundleOf("transaction",
			urnA+` POST Patient!identifier=http://example.org/p|1 {"resourceType":"Patient","identifier":[{"system":"http://example.org/p","value":"1"}]}`,
			fmt.Sprintf(`POST Observation {"resourceType":"Observation","status":"final","code":{"text":"%d"},"subject":{"reference":"%s"}}`, i, urnA),
		)).Status
	})
	same(t, "statuses", got, map[int]int{200: 20})
	same(t, "patients", c.Search("Patient").Total(), "1")
	patient := c.Search("Patient").Keys("match")[0]
	same(t, "observations of it", c.Search("Observation?subject="+patient).Total(), "20")
}

func TestRaceUpdatesWithIfMatch(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	got := together(20, func(i int) int {
		return c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p1","birthDate":"19%02d"}`, 40+i), `If-Match: W/"1"`).Status
	})
	same(t, "statuses", got, map[int]int{200: 1, 412: 19})
	same(t, "versions", c.Read("Patient/p1/_history").Total(), "2")
}

func TestRaceUpdates(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	got := together(20, func(i int) int {
		return c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p1","birthDate":"19%02d"}`, 40+i)).Status
	})
	same(t, "statuses", got, map[int]int{200: 20})
	same(t, "versions", c.Read("Patient/p1/_history").Total(), "21")
}

func TestRaceUpdateAsCreate(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	got := together(20, func(int) int {
		return c.Update(`{"resourceType":"Patient","id":"p1"}`, "If-None-Match: *").Status
	})
	same(t, "statuses", got, map[int]int{201: 1, 412: 19})
}

func TestRaceConditionalDeleteAndCreate(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	got := together(20, func(i int) int {
		if i%2 == 0 {
			return c.Delete("Patient?identifier=7").Status
		}
		return c.Create(`{"resourceType":"Patient","identifier":[{"value":"7"}]}`, "If-None-Exist: identifier=7").Status
	})
	for status := range got {
		if status != 200 && status != 201 && status != 204 {
			t.Errorf("statuses %v", got)
		}
	}
	if n := c.Search("Patient?identifier=7").Total(); n != "0" && n != "1" {
		t.Errorf("%s resources", n)
	}
}

// Ten parallel searches with includes exhausted the pool of a peer.
func TestRaceIncludes(t *testing.T) {
	_, c := ward(t)
	got := together(50, func(int) int {
		return c.Search("Observation?_include=*&_revinclude:iterate=Observation:has-member").Status
	})
	same(t, "statuses", got, map[int]int{200: 50})
}
