package policy

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// refuses checks that a write is refused by a rule and stores nothing.
func (w *world) refuses(rule string, c Caller, e *fhir.Element) {
	w.t.Helper()
	_, err := w.try(c, e)
	var issues fhir.Issues
	if !errors.As(err, &issues) || issues[0].ID != rule || issues[0].Message.Ja == "" {
		w.t.Errorf("%s writes %s: %v, want a refusal by %s", c.Client, e.ResourceType(), err, rule)
	}
}

func (w *world) expect(want bool, c Caller, l search.Labels, rule string) {
	w.t.Helper()
	if got := w.sees(c, "DocumentReference", l); got != want {
		w.t.Errorf("%s sees %+v: %t, want %t", c.Client, l, got, want)
	}
	d, err := w.policy.Explain(w.t.Context(), c, "DocumentReference", l)
	if err != nil || !slices.Contains(d.Rules, rule) {
		w.t.Errorf("%s, %+v: the rules are %v, want %s among them (%v)", c.Client, l, d.Rules, rule, err)
	}
}

func TestR01UnitOfSharingIsTheForm(t *testing.T) {
	w := newWorld(t)
	bare := fhir.NewResource("Observation")
	bare.Add("subject").Set("reference", "Patient/p")
	w.refuses("R1", w.caller("office"), bare)
	w.refuses("R1", w.caller("office"), record("no-such-form", "p"))
	two := record("life-feedback", "p")
	two.Get("meta").Add("security").Set("system", care.FormSystem).Set("code", "home-care-plan")
	w.refuses("R1", w.caller("office"), two)
	document := fhir.NewResource("Bundle").Set("type", "document")
	composition := fhir.NewResource("Composition")
	composition.Add("subject").Set("reference", "Patient/p")
	document.Add("entry").AddResource("resource", composition)
	w.refuses("R1", w.caller("office"), document)
	label(document, "life-feedback")
	if l, err := w.try(w.caller("office"), document); err != nil || !slices.Equal(l.Patients, []string{"p"}) || l.Form != "life-feedback" {
		t.Errorf("a labelled document has %+v, %v", l, err)
	}
}

func TestR02OtherDocumentsWaitForTheirSwitch(t *testing.T) {
	for _, on := range []bool{false, true} {
		w := newWorld(t)
		if on {
			w = newWorld(t, "coordination-documents")
		}
		w.register("p", "office", sharing.RoleCareProvider)
		w.consent("p", "otherclinic")
		w.expect(on, w.caller("office"), of("visiting-nursing-order", "p", "clinic"), "R2")
		w.expect(on, w.caller("otherclinic"), of("visiting-nursing-report", "p", "office"), "R2")
		w.expect(false, w.caller("otheroffice"), of("visiting-nursing-order", "p", "clinic"), "R2")
	}
}

func TestR03AuthorsKeepWhatTheyMade(t *testing.T) {
	w := newWorld(t)
	w.expect(true, w.caller("clinic"), of("physician-opinion", "p", "clinic"), "R3")
	w.expect(true, w.caller("clinic"), of("home-service-claim-detail", "p", "clinic"), "R3")
	w.refuses("R3", w.caller("clinic"), record("home-service-claim-detail", "p"))
	w.register("p", "clinic", sharing.RoleCareProvider)
	w.write(w.caller("clinic"), record("home-service-claim-detail", "p")) // delivers care, so it bills
	plan := w.write(w.caller("manager"), record("home-care-plan", "p"))
	w.refuses("R3", w.caller("othermanager"), plan)
}

func TestR03TokenOfTheWrongOrganisation(t *testing.T) {
	w := newWorld(t)
	e := record("physician-opinion", "p")
	e.Add("custodian").Set("reference", "Organization/otherclinic")
	w.refuses("R3", w.caller("clinic"), e)
	e.Get("custodian").Set("reference", "Organization/clinic")
	w.write(w.caller("clinic"), e)
	o := recordOf("Observation", "life-feedback", "p")
	o.Add("performer").Set("reference", "Practitioner/x")
	o.Add("performer").Set("reference", "Organization/otheroffice")
	w.refuses("R3", w.caller("office"), o)
}

func TestR04OrganisationsHaveAKind(t *testing.T) {
	w := newWorld(t)
	bare := fhir.NewResource("Organization").Set("name", "無名事業所")
	w.refuses("R4", w.caller("town"), bare)
	unknown := sharing.Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"nobody"}}
	w.refuses("R4", w.person("p"), unknown.Resource())
	g := sharing.Registration{Patient: "p", Organization: "nobody", Role: sharing.RoleCareProvider, Active: true}
	w.refuses("R4", w.person("p"), g.Resource())
}

func TestR05OnlyWhoIsRelatedToThePerson(t *testing.T) {
	w := newWorld(t)
	card := of("insured-card", "p", "town")
	w.expect(false, w.caller("office"), card, "R5")
	g := w.register("p", "office", sharing.RoleCareProvider)
	w.expect(true, w.caller("office"), card, "R5")
	w.expect(false, w.caller("otheroffice"), card, "R5")
	w.expect(false, w.caller("office"), of("insured-card", "q", "town"), "R5")
	w.write(w.caller("office"), g.Clone().Set("status", "finished"))
	w.expect(false, w.caller("office"), card, "R5")

	foreign := sharing.Registration{Patient: "p", Organization: "office", Role: sharing.RoleCareProvider, Active: true, Identified: sharing.InPerson}
	w.refuses("R5", w.caller("otheroffice"), foreign.Resource())
	manager := sharing.Registration{Patient: "p", Organization: "office", Role: sharing.RoleCareManager, Active: true, Identified: sharing.InPerson}
	w.refuses("R5", w.caller("office"), manager.Resource())
	again := g.Clone().Set("status", "active")
	w.refuses("R5", w.caller("office"), again)
	everybody := fhir.NewResource("Organization").Set("name", "x")
	everybody.Add("extension").Add("valueReference").Set("reference", "Patient/p")
	w.refuses("R5", w.caller("town"), everybody)
}

func TestR05RegistrationEndsByTheClock(t *testing.T) {
	w := newWorld(t)
	g := sharing.Registration{Patient: "p", Organization: "office", Role: sharing.RoleCareProvider, Active: true,
		Start: w.now.Add(time.Hour), End: w.now.Add(2 * time.Hour)}
	w.write(w.person("p"), g.Resource())
	card := of("insured-card", "p", "town")
	w.expect(false, w.caller("office"), card, "R5")
	w.now = w.now.Add(time.Hour)
	w.expect(true, w.caller("office"), card, "R5")
	w.now = w.now.Add(time.Hour)
	w.expect(false, w.caller("office"), card, "R5")
}

func TestR06InsurerSeesOnlyItsInsured(t *testing.T) {
	w := newWorld(t)
	card := w.insure("p", "town")
	w.insure("q", "othertown")
	w.consent("q", "town")
	opinion := of("physician-opinion", "p", "clinic")
	w.expect(true, w.caller("town"), opinion, "R6")
	w.expect(false, w.caller("othertown"), opinion, "R6")
	w.expect(false, w.caller("town"), of("home-care-plan", "q", "manager"), "R6") // consent makes no insurer
	w.write(w.caller("town"), card.Clone().Set("status", "cancelled"))
	w.expect(false, w.caller("town"), opinion, "R6")
	claim := fhir.NewResource("Coverage").Set("status", "active")
	label(claim, care.InsuredCard).Add("beneficiary").Set("reference", "Patient/q")
	claim.Add("payor").Set("reference", "Organization/othertown")
	w.refuses("R3", w.caller("town"), claim)
}

func TestR07EvacuationInsurerSeesAsTheInsurerDoes(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	survey, opinion, plan := of("certification-survey", "p", "town"), of("physician-opinion", "p", "clinic"), of("home-care-plan", "p", "manager")
	claim := sharing.Registration{Patient: "p", Organization: "othertown", Role: sharing.RoleEvacuation, Active: true}
	w.refuses("R7", w.caller("othertown"), claim.Resource())
	g := w.write(w.caller("town"), claim.Resource())
	w.expect(true, w.caller("othertown"), survey, "R7")
	w.expect(true, w.caller("othertown"), opinion, "R7")
	w.expect(false, w.caller("othertown"), plan, "R20") // still needs consent
	w.consent("p", "othertown")
	w.expect(true, w.caller("othertown"), plan, "R20")
	w.write(w.caller("town"), g.Clone().Set("status", "finished"))
	w.expect(false, w.caller("othertown"), survey, "R6")

	disaster := newWorld(t, "evacuation-self-claim")
	disaster.write(disaster.caller("othertown"), claim.Resource())
	disaster.expect(true, disaster.caller("othertown"), survey, "R7")
}

func TestR08PrefecturesSeeNothing(t *testing.T) {
	w := newWorld(t)
	w.consent("p", "town")
	pref := Caller{Client: "pref", Kind: Prefecture, Organization: "town", Scopes: Everything(w.matrix, Municipality)}
	w.expect(false, pref, of("physician-opinion", "p", "clinic"), "R8")
	if scopes := AllowedScopes(w.matrix, Prefecture); scopes != nil {
		t.Errorf("a prefecture can get %v", scopes)
	}
}

func TestR09OfficeDecidesInside(t *testing.T) {
	w := newWorld(t)
	w.register("p", "office", sharing.RoleCareProvider)
	one, other := w.caller("office"), w.caller("office")
	one.Client, other.Client = "reception", "nurse"
	w.expect(true, one, of("home-care-plan", "p", "manager"), "R5")
	w.expect(true, other, of("home-care-plan", "p", "manager"), "R5") // what a client may ask for is in its scopes
	other.Scopes = Scopes{}
	if must, err := w.policy.Visibility(t.Context(), other); err != nil || must.Allows("DocumentReference", "x", of("home-care-plan", "p", "manager")) {
		t.Error("the office gave a client no scopes, and it sees")
	}
}

func TestR10PersonSeesItsOwnUnlessContentSuffers(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{"certification-survey": false, "physician-opinion": false, "insured-card": true, "burden-ratio-card": true,
		"burden-limit-card": true, "benefit-management-sheet": true, "home-service-claim-detail": true, "life-feedback": true,
		"home-care-plan": true, "facility-care-plan": true}
	for form, want := range seen {
		if got := w.sees(w.person("p"), "DocumentReference", of(form, "p", "somebody")); got != want {
			t.Errorf("%s: %t", form, got)
		}
		if w.sees(w.person("q"), "DocumentReference", of(form, "p", "somebody")) {
			t.Errorf("%s: another person sees it", form)
		}
	}
	w.expect(true, w.person("p"), of("home-care-plan", "p", "manager"), "R10")
}

func TestR11R19FeedbackSheetOnly(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	w.consent("p", "town", "manager")
	life := of("life-feedback", "p", "office")
	for _, c := range []Caller{w.person("p"), w.caller("town")} {
		w.expect(true, c, life, "R19")
		if w.sees(c, "Observation", life) {
			t.Errorf("%s sees LIFE's rows", c.Client)
		}
	}
	if !w.sees(w.caller("manager"), "Observation", life) || !w.sees(w.caller("office"), "Observation", life) {
		t.Error("author or consented office does not see LIFE's rows")
	}
}

func TestR12FamilyUnlessRefused(t *testing.T) {
	w := newWorld(t)
	family := w.person("p")
	family.Client, family.Acting = "family", AsFamily
	plan := of("home-care-plan", "p", "manager")
	w.expect(true, family, plan, "R10")
	refusal := sharing.Terms{Patient: "p", Active: true, Family: true}
	w.refuses("R21", family, refusal.Resource())
	given := w.write(w.person("p"), refusal.Resource())
	w.expect(false, family, plan, "R12")
	w.expect(false, family, of("certification-application", "p", "Patient/p"), "R12")
	w.expect(true, w.person("p"), plan, "R10")
	representative := w.person("p")
	representative.Acting = AsRepresentative
	w.expect(true, representative, plan, "R10")
	w.write(w.person("p"), given.Clone().Set("status", "inactive"))
	w.expect(true, family, plan, "R10")
}

func TestR13SurveyNotForThePerson(t *testing.T) {
	w := newWorld(t)
	w.expect(false, w.person("p"), of("certification-survey", "p", "town"), "R13")
}

func TestR14OpinionThroughThePhysician(t *testing.T) {
	w := newWorld(t)
	w.consent("p", "manager")
	w.expect(false, w.person("p"), of("physician-opinion", "p", "clinic"), "R14")
}

func TestR15PhysicianWithholdsTheOpinion(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	w.consent("p", "manager", "otherclinic")
	e := record("physician-opinion", "p")
	e.Get("meta").Add("security").Set("system", sharing.RestrictionSystem).Set("code", sharing.PhysicianWithheld)
	boxed := record("physician-opinion", "p")
	boxed.Add("extension").Set("url", care.PhysicianConsentExt).Set("valueBoolean", "false")
	for _, opinion := range []*fhir.Element{e, boxed} {
		l, err := w.try(w.caller("clinic"), opinion)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(false, w.caller("manager"), l, "R15")
		w.expect(false, w.caller("otherclinic"), l, "R15")
		w.expect(true, w.caller("town"), l, "R6")
		w.expect(true, w.caller("clinic"), l, "R3")
	}
	boxed.Get("extension").Set("valueBoolean", "true")
	l, err := w.try(w.caller("clinic"), boxed)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(true, w.caller("manager"), l, "R15")
}

func TestR16BurdenCardsNotToInstitutionsWithoutCare(t *testing.T) {
	w := newWorld(t)
	w.consent("p", "clinic", "otherclinic")
	w.register("p", "clinic", sharing.RoleCareProvider)
	w.register("p", "otherclinic", sharing.RolePhysician)
	for _, form := range []string{"burden-ratio-card", "burden-limit-card"} {
		w.expect(true, w.caller("clinic"), of(form, "p", "town"), "R16")
		w.expect(false, w.caller("otherclinic"), of(form, "p", "town"), "R16")
	}
	w.expect(true, w.caller("otherclinic"), of("insured-card", "p", "town"), "R21")
}

func TestR17R18ApplicationsAndClaimsGoNoFurther(t *testing.T) {
	w := newWorld(t)
	w.register("p", "manager", sharing.RoleCareManager)
	w.register("p", "clinic", sharing.RoleCareProvider)
	w.consent("p", "manager", "clinic")
	w.expect(false, w.caller("manager"), of("certification-application", "p", "Patient/p"), "R17")
	w.expect(false, w.caller("manager"), of("home-service-claim-detail", "p", "office"), "R18")
	w.expect(false, w.caller("clinic"), of("benefit-management-sheet", "p", "manager"), "R18")
}

func TestR20CarePlansWithConsent(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	plan := of("home-care-plan", "p", "manager")
	w.expect(false, w.caller("town"), plan, "R20")
	w.expect(false, w.caller("clinic"), plan, "R20")
	w.consent("p", "town", "clinic")
	w.expect(true, w.caller("town"), plan, "R20")
	w.expect(true, w.caller("clinic"), plan, "R20")
}

func TestR21BlanketConsent(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	w.register("p", "manager", sharing.RoleCareManager)
	all := sharing.Terms{Patient: "p", Taker: "town", Active: true, Permit: true, Comprehensive: true, Identified: sharing.ByMyNumberCard}
	opinion := of("physician-opinion", "p", "clinic")
	w.expect(false, w.caller("manager"), opinion, "R26")
	w.write(w.caller("town"), all.Resource())
	w.expect(true, w.caller("manager"), opinion, "R21")
	w.expect(true, w.caller("town"), of("home-care-plan", "p", "manager"), "R21")
	w.expect(false, w.caller("othermanager"), opinion, "R26") // not registered for the person
	w.register("p", "othermanager", sharing.RoleCareManager)
	w.expect(true, w.caller("othermanager"), opinion, "R21")

	other := sharing.Terms{Patient: "p", Taker: "office", Active: true, Permit: true, Recipients: []string{"othermanager"}, Identified: sharing.InPerson}
	w.refuses("R21", w.caller("office"), other.Resource()) // not for others
	other.Recipients = []string{"office"}
	w.refuses("R21", w.caller("otheroffice"), other.Resource()) // not somebody else's
}

func TestR22WithdrawalAndRefusals(t *testing.T) {
	w := newWorld(t)
	survey, opinion := of("certification-survey", "p", "town"), of("physician-opinion", "p", "clinic")
	given := w.write(w.person("p"), (&sharing.Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"manager", "othermanager"},
		Except: []sharing.Exception{{Forms: []string{"certification-survey"}, Recipients: []string{"manager"}}}}).Resource())
	w.expect(false, w.caller("manager"), survey, "R22")
	w.expect(true, w.caller("othermanager"), survey, "R21")
	w.expect(true, w.caller("manager"), opinion, "R21")

	noOpinions := w.write(w.person("p"), (&sharing.Terms{Patient: "p", Active: true, Forms: []string{"physician-opinion"}}).Resource())
	w.expect(false, w.caller("manager"), opinion, "R22")
	w.expect(false, w.caller("othermanager"), opinion, "R22")
	w.consent("p", "manager") // a newer permission does not overrule a refusal
	w.expect(false, w.caller("manager"), opinion, "R22")
	w.write(w.person("p"), noOpinions.Clone().Set("status", "inactive"))
	w.expect(true, w.caller("othermanager"), opinion, "R21")

	w.write(w.person("p"), given.Clone().Set("status", "inactive"))
	w.expect(false, w.caller("othermanager"), opinion, "R22")

	withdrawn := w.consent("p", "manager")
	w.write(w.person("p"), withdrawn.Clone().Set("status", "inactive"))
	w.refuses("R22", w.caller("manager"), withdrawn.Clone().Set("status", "active")) // not back by its recipient
}

func TestR22ConsentEndsByTheClock(t *testing.T) {
	w := newWorld(t)
	w.write(w.person("p"), (&sharing.Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"manager"}, End: w.now.Add(time.Hour)}).Resource())
	opinion := of("physician-opinion", "p", "clinic")
	w.expect(true, w.caller("manager"), opinion, "R21")
	w.now = w.now.Add(time.Hour)
	w.expect(false, w.caller("manager"), opinion, "R22")
}

func TestR24WhoConsentsIsIdentified(t *testing.T) {
	w := newWorld(t)
	taken := sharing.Terms{Patient: "p", Taker: "office", Active: true, Permit: true, Recipients: []string{"office"}}
	w.refuses("R24", w.caller("office"), taken.Resource())
	taken.Identified = "said-so"
	w.refuses("R24", w.caller("office"), taken.Resource())
	taken.Identified = sharing.InPerson
	byDaughter := taken.Resource()
	byDaughter.Add("performer").Set("reference", "RelatedPerson/d")
	w.refuses("R24", w.caller("office"), byDaughter)
	taken.Identified = sharing.ByRepresentative
	byRepresentative := taken.Resource()
	byRepresentative.Add("performer").Set("reference", "RelatedPerson/d")
	w.write(w.caller("office"), byRepresentative)
	w.expect(true, w.caller("office"), of("life-feedback", "p", "otheroffice"), "R21")

	g := sharing.Registration{Patient: "p", Organization: "otheroffice", Role: sharing.RoleCareProvider, Active: true}
	w.refuses("R24", w.caller("otheroffice"), g.Resource())
}

// Nobody consents for a person who cannot and has no legal representative:
// neither family nor office. What needs consent stays shut, and what does not
// is as for everybody else.
func TestR25NobodyElseConsents(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	w.register("p", "manager", sharing.RoleCareManager)
	family := w.person("p")
	family.Acting = AsFamily
	given := sharing.Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"manager"}}
	w.refuses("R21", family, given.Resource())
	taken := given
	taken.Taker = "manager"
	w.refuses("R24", w.caller("manager"), taken.Resource())
	taken.Identified = sharing.InPerson
	bySon := taken.Resource()
	bySon.Add("performer").Set("reference", "RelatedPerson/son")
	w.refuses("R24", w.caller("manager"), bySon)
	w.expect(false, w.caller("manager"), of("physician-opinion", "p", "clinic"), "R26")
	w.expect(true, w.caller("manager"), of("insured-card", "p", "town"), "R5")
	w.expect(true, w.caller("town"), of("physician-opinion", "p", "clinic"), "R6")
}

func TestR26RegistrationNeedsNoConsentViewingDoes(t *testing.T) {
	w := newWorld(t)
	plan := w.write(w.caller("manager"), record("home-care-plan", "unrelated"))
	w.expect(true, w.caller("manager"), w.current[store.Key{Type: "DocumentReference", ID: plan.ID()}].Labels, "R3")
	w.expect(false, w.caller("manager"), of("physician-opinion", "unrelated", "clinic"), "R26")
}

func TestR30ConsentsAreKept(t *testing.T) {
	w := newWorld(t)
	given := w.consent("p", "manager")
	l := w.current[store.Key{Type: "Consent", ID: given.ID()}].Labels
	if err := w.policy.MayWrite(t.Context(), w.person("p"), ActionDelete, given, l); err == nil {
		t.Error("a consent can be deleted")
	}
	c := w.caller("office")
	c.Scopes = Everything(w.matrix, CareOffice)
	if err := w.policy.MayWrite(t.Context(), c, ActionDelete, given, l); err == nil {
		t.Error("an office can delete a consent")
	}
}

func TestR36BreakGlass(t *testing.T) {
	opinion := of("physician-opinion", "p", "otherclinic")
	off := newWorld(t)
	emergency := off.caller("clinic")
	emergency.Purpose = Emergency
	off.expect(false, emergency, opinion, "R26")

	w := newWorld(t, "break-glass")
	w.expect(true, emergency, opinion, "R36")
	w.expect(false, emergency, of("burden-ratio-card", "p", "town"), "R16")
	if w.sees(emergency, "DocumentReference", of("certification-survey", "p", "town")) {
		t.Error("an emergency opens a form that the column does not share")
	}
	w.expect(false, w.caller("clinic"), opinion, "R26")
	office := w.caller("office")
	office.Purpose = Emergency
	w.expect(false, office, of("life-feedback", "p", "otheroffice"), "R26")
	if !w.sees(emergency, "Patient", search.Labels{Patients: []string{"p"}}) {
		t.Error("an emergency does not show the person")
	}
}

func TestContradictoryConsents(t *testing.T) {
	base := func() sharing.Terms {
		return sharing.Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"manager"}}
	}
	tests := []struct {
		name, rule string
		change     func(*sharing.Terms)
		edit       func(*fhir.Element)
	}{
		{"no patient", "R21", nil, func(e *fhir.Element) { e.Remove("patient") }},
		{"no provision", "R21", nil, func(e *fhir.Element) { e.Remove("provision") }},
		{"neither permit nor deny", "R21", nil, func(e *fhir.Element) { e.Get("provision").Remove("type") }},
		{"nobody may see", "R5", func(s *sharing.Terms) { s.Recipients = nil }, nil},
		{"unknown form", "R22", func(s *sharing.Terms) { s.Forms = []string{"horoscope"} }, nil},
		{"form of another code system", "R22", func(s *sharing.Terms) { s.Forms = []string{"insured-card"} },
			func(e *fhir.Element) { e.Get("provision", "securityLabel").Set("system", "http://example.org") }},
		{"refuses all it permits", "R22", func(s *sharing.Terms) { s.Except = []sharing.Exception{{}} }, nil},
		{"refuses a form it does not permit", "R22", func(s *sharing.Terms) {
			s.Forms, s.Except = []string{"insured-card"}, []sharing.Exception{{Forms: []string{"life-feedback"}}}
		}, nil},
		{"refuses an office it does not permit", "R22", func(s *sharing.Terms) { s.Except = []sharing.Exception{{Recipients: []string{"clinic"}}} }, nil},
		{"permission inside a refusal", "R22", func(s *sharing.Terms) { s.Permit = false },
			func(e *fhir.Element) { e.Get("provision").Add("provision").Set("type", "permit") }},
		{"permits the family", "R12", func(s *sharing.Terms) { s.Family = true }, nil},
		{"comprehensive with recipients", "R21", func(s *sharing.Terms) { s.Comprehensive = true }, nil},
		{"comprehensive refusal", "R21", func(s *sharing.Terms) { s.Comprehensive, s.Permit, s.Recipients = true, false, nil }, nil},
		{"ends before it starts", "R22", nil, func(e *fhir.Element) {
			e.Get("provision").Add("period").Set("start", "2026-05-02").Set("end", "2026-05-01")
		}},
		{"period that cannot be read", "R22", nil, func(e *fhir.Element) { e.Get("provision").Add("period").Set("end", "someday") }},
		{"recipient is a person", "R5", nil, func(e *fhir.Element) { e.Get("provision", "actor", "reference").Set("reference", "Practitioner/x") }},
	}
	w := newWorld(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			terms := base()
			if tt.change != nil {
				tt.change(&terms)
			}
			e := terms.Resource()
			if tt.edit != nil {
				tt.edit(e)
			}
			w.refuses(tt.rule, w.person("p"), e)
		})
	}
}

// An unrestricted caller may store any Consent; one that cannot be understood
// counts as a refusal, never as a permission.
func TestUnreadableConsentCloses(t *testing.T) {
	w := newWorld(t)
	w.consent("p", "manager")
	opinion := of("physician-opinion", "p", "clinic")
	w.expect(true, w.caller("manager"), opinion, "R21")
	odd := fhir.NewResource("Consent").Set("id", "odd").Set("status", "active")
	odd.Add("patient").Set("reference", "Patient/p")
	l, err := w.policy.Label(t.Context(), Caller{Unrestricted: true}, odd, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.put(odd, l)
	w.expect(false, w.caller("manager"), opinion, "R22")
	w.remove(store.Key{Type: "Consent", ID: "odd"})
	w.expect(true, w.caller("manager"), opinion, "R21")
}

func TestConsentStaysWithItsPerson(t *testing.T) {
	w := newWorld(t)
	given := w.consent("p", "manager")
	moved := given.Clone()
	moved.Get("patient").Set("reference", "Patient/q")
	w.refuses("R5", w.person("q"), moved)
}
