package api_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// TestSharingTellsWhatAnOrganisationMaySee compares $sharing with what the
// organisation then finds.
func TestSharingTellsWhatAnOrganisationMaySee(t *testing.T) {
	srv := servertest.Start(t)
	for _, name := range []string{"insurer", "hospital", "care-manager", "day-care"} {
		srv.Intake(name).Want(200)
	}
	op := srv.As(servertest.Operator)
	patient := op.Search("Patient?_sort=_id&_count=1").Want(200).Keys("match")[0]
	id := patient[len("Patient/"):]

	before := answer(t, srv.As("clinic").Do("GET", "Organization/clinic/$sharing?patient="+id, "").Want(404))
	if len(before) != 0 {
		t.Errorf("without any relation: %v", before)
	}
	consent := `{"resourceType":"Consent","status":"active",
		"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		"category":[{"coding":[{"system":"https://kaigofhir.github.io/fhir/CodeSystem/care-consent","code":"office"}]}],
		"patient":{"reference":"` + patient + `"},"organization":[{"reference":"Organization/clinic"}],
		"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
		"verification":[{"verified":true,"extension":[{"url":"https://kaigofhir.github.io/fhir/StructureDefinition/identity-check","valueCode":"my-number-card"}]}],
		"provision":{"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":{"reference":"Organization/clinic"}}]}}`
	srv.As("clinic").Create(consent).Want(201)
	after := answer(t, srv.As("clinic").Do("GET", "Organization/clinic/$sharing?patient="+id, "").Want(200))
	for form, want := range map[string]bool{
		care.PhysicianOpinion: true, care.HomeCarePlan: true, care.LifeFeedback: true, care.InsuredCard: true,
		care.BurdenRatioCard: false, care.CertificationSurvey: false, care.ServiceClaims: false,
	} {
		if after[form] != want {
			t.Errorf("%s: visible is %v after consent, want %v", form, after[form], want)
		}
	}
	// Another organisation learns nothing about the clinic's position.
	srv.As("home-help").Do("GET", "Organization/clinic/$sharing?patient="+id, "").Want(404)
	srv.As("clinic").Do("GET", "Organization/clinic/$sharing", "").Want(400)
}

// answer reads which forms are visible.
func answer(t *testing.T, r *servertest.Response) map[string]bool {
	t.Helper()
	visible := map[string]bool{}
	for form := range r.Resource().All("parameter") {
		var code string
		for part := range form.All("part") {
			switch part.Text("name") {
			case "code":
				code = part.Text("valueCode")
			case "visible":
				visible[code] = part.Text("valueBoolean") == "true"
			}
		}
	}
	return visible
}
