package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// table is the sharing matrix written out by hand, with the sources' marks:
// ★ author, ○ shared, ◎ with consent, – nothing. Two marks are a split cell:
// ★◎ author and others, ○◎ and ○– an institution that delivers care services
// to the person and others. f: the feedback sheet only. It does not read
// matrix.yaml.
const table = `
form                             user  municipality  care_office  care_manager_office  medical_institution
certification-survey             –     ★             –            ◎                    –
physician-opinion                –     ○             –            ◎                    ★◎
insured-card                     ○     ★             ○            ○                    ○◎
burden-ratio-card                ○     ★             ○            ○                    ○–
burden-limit-card                ○     ★             ○            ○                    ○–
certification-application        ★     ○             –            –                    –
benefit-management-sheet         ○     ○             –            ★                    –
care-management-claim-detail     ○     ○             –            ★                    –
service-claims                   ○     ○             ★            –                    –
care-benefit-invoice             ○     ○             ★            –                    –
community-project-invoice        ○     ○             ★            –                    –
home-service-claim-detail        ○     ○             ★            –                    –
preventive-service-claim-detail  ○     ○             ★            –                    –
community-project-claim-detail   ○     ○             ★            –                    –
facility-service-claim-detail    ○     ○             ★            –                    –
life-feedback                    ◎f    ◎f            ★◎           ◎                    ◎
home-care-plan                   ○     ◎             ○            ★                    ◎
facility-care-plan               ○     ◎             ★○           ○                    ◎
visiting-nursing-order           –     –             –            –                    ★–
rehabilitation-order             –     –             –            –                    ★–
visiting-nursing-plan            –     –             ★–           –                    –
visiting-nursing-report          –     –             ★–           –                    –
hospital-admission-information   –     –             ★–           ★–                   –
`

// readTable returns the marks by form and kind, and the forms in order.
func readTable(t *testing.T, text string) (marks map[string]map[Kind]string, forms []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	kinds := strings.Fields(lines[0])[1:]
	marks = map[string]map[Kind]string{}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		if len(fields) != len(kinds)+1 {
			t.Fatalf("the table has a bad line: %q", line)
		}
		forms = append(forms, fields[0])
		marks[fields[0]] = map[Kind]string{}
		for i, k := range kinds {
			marks[fields[0]][Kind(k)] = fields[i+1]
		}
	}
	return marks, forms
}

// stance is how a caller stands to a record and its person.
type stance struct{ author, related, provider, consent bool }

func stances() []stance {
	var all []stance
	for i := range 16 {
		s := stance{i&1 > 0, i&2 > 0, i&4 > 0, i&8 > 0}
		if !s.provider || s.related { // a provider is related
			all = append(all, s)
		}
	}
	return all
}

// expected reads one cell of the table in a stance: the naive oracle.
func expected(mark string, k Kind, feedback bool, s stance) bool {
	if s.author {
		return true
	}
	if strings.HasSuffix(mark, "f") {
		if !feedback {
			return false
		}
		mark = strings.TrimSuffix(mark, "f")
	}
	signs := []rune(mark)
	sign := signs[len(signs)-1]
	if len(signs) == 2 && signs[0] == '○' && s.provider {
		sign = '○'
	}
	switch sign {
	case '○':
		if k == MedicalInstitution {
			return s.provider
		}
		return s.related
	case '◎':
		switch k {
		case Person:
			return s.related
		case Municipality:
			return s.related && s.consent
		}
		return s.consent
	}
	return false
}

func TestEveryCellInEveryStance(t *testing.T) {
	marks, forms := readTable(t, table)
	if got := sharing.National().Forms(); !slices.Equal(got, forms) {
		t.Fatalf("the matrix has the forms\n%v, the table\n%v", got, forms)
	}
	w := newWorld(t)
	callers := map[Kind]string{Municipality: "town", CareOffice: "office", CareManagerOffice: "manager", MedicalInstitution: "clinic"}
	for i, s := range stances() {
		patient := fmt.Sprint("p", i)
		w.settle(patient, s, callers)
		for kind, organization := range callers {
			w.checkCells(t, marks, w.caller(organization), patient, s)
			_ = kind
		}
		self := w.person(patient)
		if !s.related {
			self = w.person("stranger")
		}
		w.checkCells(t, marks, self, patient, s)
	}
}

// settle brings a patient into a stance towards the callers.
func (w *world) settle(patient string, s stance, callers map[Kind]string) {
	if s.related {
		w.insure(patient, callers[Municipality])
		w.register(patient, callers[CareManagerOffice], sharing.RoleCareManager)
		w.register(patient, callers[CareOffice], sharing.RoleCareProvider)
		role := sharing.RolePhysician
		if s.provider {
			role = sharing.RoleCareProvider
		}
		w.register(patient, callers[MedicalInstitution], role)
	} else {
		w.insure(patient, "othertown")
	}
	if s.consent {
		w.consent(patient, callers[Municipality], callers[CareManagerOffice], callers[CareOffice], callers[MedicalInstitution])
	}
}

func (w *world) checkCells(t *testing.T, marks map[string]map[Kind]string, c Caller, patient string, s stance) {
	t.Helper()
	for form, row := range marks {
		for _, resourceType := range []string{"DocumentReference", "Observation"} {
			l := of(form, patient, "somebody")
			if s.author {
				l.Author = c.author()
			}
			want := expected(row[c.Kind], c.Kind, resourceType == "DocumentReference", s)
			if form := baseForm(l.Form); !typeCarries(w.matrix, form, resourceType) {
				continue
			}
			if got := w.sees(c, resourceType, l); got != want {
				t.Errorf("%s sees %s of %s in %+v: %t, want %t", c.Kind, resourceType, form, s, got, want)
			}
		}
	}
}

func typeCarries(m *sharing.Matrix, form, resourceType string) bool {
	row, _ := m.Row(form)
	return slices.Contains(row.Types, resourceType)
}

func TestEveryFormIsWrittenByItsAuthorsOnly(t *testing.T) {
	marks, forms := readTable(t, table)
	w := newWorld(t)
	w.insure("p", "town")
	w.register("p", "office", sharing.RoleCareProvider)
	callers := []Caller{w.person("p"), w.caller("town"), w.caller("office"), w.caller("manager"), w.caller("clinic")}
	for _, form := range forms {
		for _, c := range callers {
			_, err := w.try(c, record(form, "p"))
			if want := strings.Contains(marks[form][c.Kind], "★"); (err == nil) != want {
				t.Errorf("%s writes %s: error %v, want allowed %t", c.Kind, form, err, want)
			}
		}
	}
}

func TestScopesAgreeWithTheTable(t *testing.T) {
	marks, _ := readTable(t, table)
	m := sharing.National()
	for _, k := range []Kind{Person, Municipality, CareOffice, CareManagerOffice, MedicalInstitution} {
		all := Everything(m, k)
		for form, row := range marks {
			mark := row[k]
			wantRead := mark != "–"
			wantWrite := strings.Contains(mark, "★")
			also := k == MedicalInstitution && parentOf(m, form) == "service-claims" // makes its own claims
			if got := all.AllowForm("DocumentReference", ActionRead, form); got != (wantRead || also) {
				t.Errorf("%s may read %s by scope: %t, the table says %q", k, form, got, mark)
			}
			if got := all.AllowForm("DocumentReference", ActionUpdate, form); got != (wantWrite || also) {
				t.Errorf("%s may write %s by scope: %t, the table says %q", k, form, got, mark)
			}
		}
	}
}

func parentOf(m *sharing.Matrix, form string) string {
	row, _ := m.Row(form)
	if row.Parent != "" {
		return row.Parent
	}
	return form
}

func TestTypesOutsideTheForms(t *testing.T) {
	w := newWorld(t)
	w.insure("p", "town")
	w.register("p", "office", sharing.RoleCareProvider)
	about := func(author string) search.Labels { return search.Labels{Patients: []string{"p"}, Author: author} }
	tests := []struct {
		name   string
		caller Caller
		typ    string
		labels search.Labels
		want   bool
	}{
		{"person sees itself", w.person("p"), "Patient", about("town"), true},
		{"stranger", w.person("q"), "Patient", about("town"), false},
		{"insurer sees its insured", w.caller("town"), "Patient", about("x"), true},
		{"other town", w.caller("othertown"), "Patient", about("x"), false},
		{"registered office", w.caller("office"), "Patient", about("x"), true},
		{"office without relation", w.caller("otheroffice"), "Patient", about("x"), false},
		{"registration: its office", w.caller("office"), "EpisodeOfCare", about("office"), true},
		{"registration: insurer", w.caller("town"), "EpisodeOfCare", about("office"), true},
		{"registration: another office", w.caller("otheroffice"), "EpisodeOfCare", about("office"), false},
		{"consent: recipient", w.caller("office"), "Consent", about("office"), true},
		{"consent: other office registered for the person", w.caller("office"), "Consent", about("manager"), false},
		{"directory", w.caller("otheroffice"), "Practitioner", search.Labels{Author: "town"}, true},
		{"definitions", w.person("q"), "ValueSet", search.Labels{}, true},
		{"audit: the person", w.person("p"), "AuditEvent", about(""), true},
		{"audit: an office", w.caller("office"), "AuditEvent", about(""), false},
		{"audit: the insurer", w.caller("town"), "AuditEvent", about(""), false},
		{"no form: its author", w.caller("office"), "Observation", about("office"), true},
		{"no form: insurer", w.caller("town"), "Observation", about("office"), false},
		{"no form: the person", w.person("p"), "Observation", about("office"), false},
		{"nobody's", w.caller("town"), "Basic", search.Labels{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			must, err := w.policy.Visibility(t.Context(), tt.caller)
			if err != nil {
				t.Fatal(err)
			}
			if got := must.Allows(tt.typ, "x", tt.labels); got != tt.want {
				t.Errorf("got %t", got)
			}
			d, err := w.policy.Explain(t.Context(), tt.caller, tt.typ, tt.labels)
			if err != nil || d.Allowed != tt.want {
				t.Errorf("Explain: %+v, %v", d, err)
			}
		})
	}
}

func TestCallersWhoAreNobody(t *testing.T) {
	w := newWorld(t)
	all := Everything(w.matrix, CareOffice)
	nobodies := []Caller{
		{}, {Scopes: all}, {Kind: CareOffice, Scopes: all}, {Kind: Person, Scopes: all},
		{Kind: "bank", Organization: "bank", Scopes: all}, {Kind: CareOffice, Organization: "office"},
		{Kind: Person, Patient: "p", Organization: "office", Scopes: all}, {Kind: Prefecture, Organization: "pref", Scopes: all},
	}
	for _, c := range nobodies {
		must, err := w.policy.Visibility(t.Context(), c)
		if err != nil || must.Unrestricted || len(must.Any) > 0 {
			t.Errorf("%+v sees %+v, %v", c, must, err)
		}
		if err := w.policy.MayWrite(t.Context(), c, ActionCreate, record("home-care-plan", "p"), of("home-care-plan", "p", "")); err == nil {
			t.Errorf("%+v may write", c)
		}
	}
}
