package sharing

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

func TestEveryCellHasAnEffectAndASource(t *testing.T) {
	m := National()
	if len(m.Rows) != 23 || len(m.Actors) != 5 {
		t.Fatalf("%d rows, %d actors", len(m.Rows), len(m.Actors))
	}
	for _, r := range m.Rows {
		authors := 0
		for _, a := range m.Actors {
			var cells []Cell
			for _, c := range r.Cells {
				if c.Actor == Actor(a.Code) {
					cells = append(cells, c)
				}
				if c.Effect == Author {
					authors++
				}
				if document, _, _ := strings.Cut(c.Source, " "); m.Documents[document] == "" {
					t.Errorf("%s: source %q names no document", r.Code, c.Source)
				}
			}
			if n := len(cells); n != 1 && n != 2 {
				t.Errorf("%s, %s: %d cells", r.Code, a.Code, n)
			}
		}
		if authors == 0 {
			t.Errorf("%s has no author", r.Code)
		}
	}
}

func TestAgreesWithTheGuide(t *testing.T) {
	m := National()
	var rows []string
	for _, r := range m.Rows {
		if r.Parent == "" && r.Category != "coordination" {
			rows = append(rows, r.Code)
		}
	}
	if diff := cmp.Diff(care.Forms(), rows); diff != "" {
		t.Errorf("care.Forms and the matrix differ:\n%s", diff)
	}
	for _, kind := range []string{care.KindMunicipality, care.KindCareOffice, care.KindCareManagerOffice, care.KindMedicalInstitution} {
		if !slices.ContainsFunc(m.Actors, func(n Named) bool { return n.Code == kind }) {
			t.Errorf("%s is no actor", kind)
		}
	}
}

func TestAgreesWithThePublishedCodeSystem(t *testing.T) {
	type concept struct {
		Code    string    `json:"code"`
		Concept []concept `json:"concept"`
	}
	read := func(data []byte) (cs struct {
		URL     string    `json:"url"`
		Concept []concept `json:"concept"`
	}) {
		if err := json.Unmarshal(data, &cs); err != nil {
			t.Fatal(err)
		}
		return cs
	}
	published, ok := care.Resource(care.FormSystem)
	if !ok {
		t.Fatal("the code system of the forms is not published")
	}
	want := read(fhirjson.Append(nil, National().CodeSystem()))
	if diff := cmp.Diff(want, read(published)); diff != "" {
		t.Errorf("the matrix and the published code system differ:\n%s", diff)
	}
}

// TestAgreesWithTheReference compares each cell with the reference transcript
// of the sources, where it lies beside the project.
func TestAgreesWithTheReference(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "domain", "sharing-matrix.yaml")
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("the reference transcript is not here: %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Forms map[string]map[string]any `yaml:"forms"`
	}
	if err := yaml.Unmarshal(data, &reference); err != nil {
		t.Fatal(err)
	}
	for form, cells := range reference.Forms {
		row, ok := National().Row(form)
		if !ok {
			t.Errorf("the form %s is missing", form)
			continue
		}
		for _, a := range National().Actors {
			got := map[string]any{}
			for _, c := range row.Cells {
				if c.Actor == Actor(a.Code) {
					got[string(c.Relation)] = string(c.Effect)
				}
			}
			want := map[string]any{"any": cells[a.Code]}
			if split, ok := cells[a.Code].(map[string]any); ok {
				want = split
				if own, ok := split["own"]; ok {
					want = map[string]any{"author": own, "other": split["other"]}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s:\n%s", form, a.Code, diff)
			}
		}
	}
}

func TestJSONAndMarkdown(t *testing.T) {
	m := National()
	var cells []map[string]any
	if err := json.Unmarshal(m.JSON(), &cells); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range m.Rows {
		n += len(r.Cells)
	}
	if len(cells) != n {
		t.Errorf("%d cells, want %d", len(cells), n)
	}
	find := func(form, actor, relation string) any {
		for _, c := range cells {
			if c["form"] == form && c["actor"] == actor && c["relation"] == relation {
				return c["effect"]
			}
		}
		return nil
	}
	for _, want := range [][4]string{
		{"physician-opinion", "medical_institution", "author", "author"},
		{"physician-opinion", "medical_institution", "other", "consent"},
		{"insured-card", "medical_institution", "care_provider", "shared"},
		{"certification-survey", "user", "any", "none"},
	} {
		if got := find(want[0], want[1], want[2]); got != want[3] {
			t.Errorf("%v: got %v", want, got)
		}
	}
	text := m.Markdown()
	for _, r := range m.Rows {
		if !strings.Contains(text, "`"+r.Code+"`") {
			t.Errorf("the table lacks %s", r.Code)
		}
	}
}

func TestSwitches(t *testing.T) {
	m, err := National().With(map[string]bool{"facility-plan-by-care-manager": true, "opinion-other-institutions": false})
	if err != nil {
		t.Fatal(err)
	}
	row, _ := m.Row("facility-care-plan")
	if _, ok := row.MayAuthor(CareManagerOffice); !ok {
		t.Error("the literal reading has no effect")
	}
	opinion, _ := m.Row("physician-opinion")
	if c, _ := opinion.Cell(MedicalInstitution, OtherThan); c.Effect != None {
		t.Errorf("other institutions get %s", c.Effect)
	}
	if _, err := m.With(map[string]bool{"typo": true}); err == nil {
		t.Error("a switch that does not exist is taken")
	}
	if c, _ := func() (Cell, bool) {
		r, _ := National().Row("physician-opinion")
		return r.Cell(MedicalInstitution, OtherThan)
	}(); c.Effect != Consent {
		t.Error("With changed the national matrix")
	}
}

func TestParseIsStrict(t *testing.T) {
	text := string(embedded)
	tests := []struct{ name, old, new string }{
		{"unknown key", "category: claims", "categroy: claims"},
		{"unknown effect", "effect: shared", "effect: sharde"},
		{"unknown rule", "rules: [R13]", "rules: [R99]"},
		{"unknown switch", "when: {coordination-documents: shared}", "when: {typo: shared}"},
		{"no source", "{effect: author, source: S1 final table}", "{effect: author}"},
		{"form twice", "code: home-care-plan", "code: facility-care-plan"},
		{"unknown actor", "user:                {effect: shared, source: S1 final table, rules: [R3]}", "usr: {effect: shared, source: S1}"},
		{"half a split", "other:  {effect: consent, source: S1 final table, rules: [R19]}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := strings.Replace(text, tt.old, tt.new, 1)
			if broken == text {
				t.Fatal("the test changes nothing")
			}
			if _, err := Parse([]byte(broken)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestConsentThereAndBack(t *testing.T) {
	at := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		terms Terms
	}{
		{"blanket", Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"o"}, Identified: ByMyNumberCard}},
		{"comprehensive", Terms{Patient: "p", Taker: "town", Active: true, Permit: true, Comprehensive: true}},
		{"exceptions", Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"o", "q"},
			Except: []Exception{{Forms: []string{"life-feedback"}, Recipients: []string{"q"}}}}},
		{"withdrawn, with an end", Terms{Patient: "p", Permit: true, Recipients: []string{"o"}, Start: at, End: at.AddDate(1, 0, 0)}},
		{"refusal of forms", Terms{Patient: "p", Active: true, Forms: []string{"home-care-plan", "insured-card"}}},
		{"refusal of an office", Terms{Patient: "p", Active: true, Recipients: []string{"o"}}},
		{"refusal of the family", Terms{Patient: "p", Active: true, Family: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := National().ReadConsent(tt.terms.Resource())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.terms, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormsWithPartsStandForThem(t *testing.T) {
	terms := Terms{Patient: "p", Active: true, Forms: []string{"service-claims"}}
	got, err := National().ReadConsent(terms.Resource())
	if err != nil || !got.Covers("home-service-claim-detail") || got.Covers("insured-card") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRegistrationThereAndBack(t *testing.T) {
	at := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	for _, g := range []Registration{
		{Patient: "p", Organization: "o", Role: RoleCareProvider, Active: true, Identified: InPerson},
		{Patient: "p", Organization: "o", Role: RoleEvacuation, Start: at, End: at.AddDate(0, 1, 0)},
	} {
		got, err := ReadRegistration(g.Resource())
		if err != nil || !reflect.DeepEqual(got, g) {
			t.Errorf("%+v became %+v, %v", g, got, err)
		}
	}
	bare := fhir.NewResource("EpisodeOfCare").Set("status", "active")
	if _, err := ReadRegistration(bare); err == nil {
		t.Error("an episode without role is a registration")
	}
}

func TestPeriods(t *testing.T) {
	tests := []struct {
		start, end string
		from, to   string // RFC 3339, "" is open
		bad        bool
	}{
		{start: "2026", end: "2026", from: "2026-01-01T00:00:00+09:00", to: "2027-01-01T00:00:00+09:00"},
		{start: "2026-04", end: "2026-05", from: "2026-04-01T00:00:00+09:00", to: "2026-06-01T00:00:00+09:00"},
		{start: "2026-04-01", end: "2026-04-01", from: "2026-04-01T00:00:00+09:00", to: "2026-04-02T00:00:00+09:00"},
		{end: "2026-04-01T10:00:00Z", to: "2026-04-01T10:00:01Z"},
		{end: "2026-04-01T10:00:00.500Z", to: "2026-04-01T10:00:00.501Z"},
		{start: "2026-04-02", end: "2026-04-01", bad: true},
		{start: "April", bad: true},
	}
	for _, tt := range tests {
		p := fhir.NewResource("EpisodeOfCare").Add("period").Set("start", tt.start).Set("end", tt.end)
		start, end, err := ReadPeriod(p)
		if (err != nil) != tt.bad {
			t.Errorf("%+v: %v", tt, err)
		}
		if !tt.bad && (!same(start, tt.from) || !same(end, tt.to)) {
			t.Errorf("%+v: from %s to %s", tt, start, end)
		}
	}
}

func same(got time.Time, want string) bool {
	if want == "" {
		return got.IsZero()
	}
	w, err := time.Parse(time.RFC3339Nano, want)
	return err == nil && got.Equal(w)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("version: x\nactors: [{code: user}]\nforms: []\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := Parse(data); err == nil && len(m.Rows) == 0 {
			t.Error("an empty matrix is accepted")
		}
	})
}
