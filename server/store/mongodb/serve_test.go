package mongodb_test

import (
	"slices"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
)

// TestServer runs the whole server, with access control and its record of
// accesses, on the stand-in for a replica set.
func TestServer(t *testing.T) {
	clock := servertest.NewClock()
	e := openTest(t, mongodb.Options{URI: newReplicaSet(t).uri, Now: clock.Now})
	t.Cleanup(func() { _ = e.Close() })
	srv := servertest.StartOn(t, e, clock)
	operator := srv.As(servertest.Operator)
	r := operator.Post(`{"resourceType":"Bundle","type":"transaction","entry":[
		{"fullUrl":"urn:uuid:8cafa46d-08b4-4ee4-b51b-803e20ae8126","resource":{"resourceType":"Organization","name":"new"},"request":{"method":"POST","url":"Organization","ifNoneExist":"name=new"}},
		{"resource":{"resourceType":"Patient","id":"p2","name":[{"family":"yamada"}],"managingOrganization":{"reference":"urn:uuid:8cafa46d-08b4-4ee4-b51b-803e20ae8126"}},"request":{"method":"PUT","url":"Patient/p2"}}]}`).Want(200)
	if n := len(slices.Collect(r.Resource().All("entry"))); n != 2 {
		t.Errorf("%d entries", n)
	}
	found := operator.Search("Patient?name=yama&organization.name=new&_include=Patient:organization&_total=accurate").Want(200)
	if found.Total() != "1" || len(found.Keys("include")) != 1 {
		t.Errorf("total %s, included %v", found.Total(), found.Keys("include"))
	}
	operator.Read("Patient/p2/_history").Want(200)
	person := srv.Person("p2")
	if own := srv.As(person).Search("Patient").Want(200).Keys("match"); !slices.Equal(own, []string{"Patient/p2"}) {
		t.Errorf("the person sees %v", own)
	}
	if seen := srv.As("day-care").Search("Patient").Want(200).Keys("match"); len(seen) != 0 {
		t.Errorf("an office without relation sees %v", seen)
	}
	srv.Intake("insurer").Want(200)
	if seen := srv.As("insurer").Search("Patient").Want(200).Keys("match"); len(seen) == 0 || slices.Contains(seen, "Patient/p2") {
		t.Errorf("the insurer sees %v", seen)
	}
}
