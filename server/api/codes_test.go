package api_test

import (
	"fmt"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

const bathing = `{"resourceType":"ValueSet","id":"bathing","url":"http://example.jp/vs/bathing","status":"active",
	"compose":{"include":[{"system":"http://example.jp/bath","concept":[%s]}]}}`

// baths stores six observations of bathing and a value set of it.
func baths(t *testing.T) *servertest.Client {
	t.Helper()
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(fmt.Sprintf(bathing, `{"code":"bath"},{"code":"wipe"}`)).Want(201)
	for i, code := range []string{"bath", "wipe", "bath", "wipe", "bath", "rest"} {
		c.Update(fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":"final","code":{"coding":[{"system":"http://example.jp/bath","code":"%s"}]}}`, i, code)).Want(201)
	}
	return c
}

// TestStoredValueSetsAcrossPages: all pages are of one search, and so of one
// state of the value set it names.
func TestStoredValueSetsAcrossPages(t *testing.T) {
	c := baths(t)
	query := "Observation?code:in=http://example.jp/vs/bathing&_sort=_id&_count=2"
	page := c.Search(query).Want(200)
	same(t, "total", page.Total(), "5")
	same(t, "first", page.Keys("match"), []string{"Observation/o0", "Observation/o1"})
	c.Update(fmt.Sprintf(bathing, `{"code":"rest"}`)).Want(200)
	page = c.Search(page.Link("next")).Want(200)
	same(t, "second", page.Keys("match"), []string{"Observation/o2", "Observation/o3"})
	c.Delete("ValueSet/bathing").Want(204)
	page = c.Search(page.Link("next")).Want(200)
	same(t, "third", page.Keys("match"), []string{"Observation/o4"})
	r := c.Search(query).Want(400)
	same(t, "issue", r.Issue(), "not-found/search-codes")
}

// TestStoredValueSetsInConditions: a condition by a value set that is not known
// is refused, never taken for one that nothing meets.
func TestStoredValueSetsInConditions(t *testing.T) {
	c := baths(t)
	rest := `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://example.jp/bath","code":"rest"}]}}`
	known := "If-None-Exist: code:in=http://example.jp/vs/bathing&_id=o1"
	c.Create(rest, known).Want(200)
	r := c.Create(rest, "If-None-Exist: code:in=http://example.jp/vs/nosuch").Want(400)
	same(t, "issue", r.Issue(), "not-found/search-codes")
	c.Delete("Observation?code:in=http://example.jp/vs/nosuch").Want(400)
	c.Delete("Observation?code:in=ValueSet/bathing&_id=o0").Want(204)
	same(t, "left", c.Search("Observation?_summary=count").Total(), "5")
}

// TestStoredValueSetsByScope: a token that does not cover value sets does not
// let its bearer learn what is in one.
func TestStoredValueSetsByScope(t *testing.T) {
	srv := servertest.Start(t)
	srv.As(servertest.Operator).Update(fmt.Sprintf(bathing, `{"code":"bath"}`)).Want(201)
	query := "Observation?code:in=http://example.jp/vs/bathing"
	srv.As("care-manager").Search(query).Want(200)
	r := srv.AsWith("care-manager", "system/Observation.rs").Search(query).Want(400)
	same(t, "issue", r.Issue(), "not-found/search-codes")
	srv.AsWith("care-manager", "system/Observation.rs system/ValueSet.r").Search(query).Want(200)
}

// TestCodesOfTheServer: the terminology that comes with the server needs
// nothing stored.
func TestCodesOfTheServer(t *testing.T) {
	c := baths(t)
	c.Update(`{"resourceType":"Patient","id":"f","gender":"female"}`).Want(201)
	same(t, "in", c.Search("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender").Want(200).Keys("match"), []string{"Patient/f"})
	same(t, "not in", len(c.Search("Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender").Want(200).Keys("match")), 0)
	r := c.Search("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender|9").Want(400)
	same(t, "version", r.Issue(), "not-found/search-codes")
	r = c.Search("Observation?code:in=http://hl7.org/fhir/ValueSet/languages,http://hl7.org/fhir/ValueSet/all-languages").Want(400)
	same(t, "no list of all languages", r.Issue(), "not-found/search-codes")
}
