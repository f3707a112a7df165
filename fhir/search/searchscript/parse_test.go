package searchscript

import "testing"

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text string }{
		{"unknown statement", "delete Patient/1"},
		{"load without a body", "load Patient/1"},
		{"load without an id", "load Patient {}"},
		{"load of no resource", `load Nosuch/1 {}`},
		{"load of bad JSON", `load Patient/1 {"gender":}`},
		{"load of an unknown property", `load Patient/1 {"nosuch":1}`},
		{"load twice", "load Patient/1 {}\nload Patient/1 {}"},
		{"label of nothing", "label Patient/1 form=x"},
		{"label of no such name", "load Patient/1 {}\nlabel Patient/1 color=x"},
		{"expect before search", "expect a"},
		{"total of no number", "search Patient?\nexpect total x"},
		{"grant of no such part", "caller color=x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse("x", tt.text); err == nil {
				t.Error("not refused")
			}
		})
	}
}

func TestParse(t *testing.T) {
	s, err := Parse("x", "# comment\nneeds base\nload Patient/a {\"gender\":\n  \"male\"}\nlabel Patient/a form=f author=o patients=1,2\n"+
		"caller types=Patient patients=1\nsearch Patient?name=山 田&x=1\nexpect ordered a\nexpect total 3\nexpect included Organization/o\nexpect unknown x\n")
	if err != nil {
		t.Fatal(err)
	}
	r := s.Records[0]
	if r.Key() != "Patient/a" || r.Resource.Text("gender") != "male" || r.Labels.Form != "f" || len(r.Labels.Patients) != 2 {
		t.Errorf("record is %+v", r)
	}
	c := s.Cases[0]
	if c.Line != 7 || c.Type != "Patient" || c.Query != "name=%E5%B1%B1%20%E7%94%B0&x=1" || c.Must.Unrestricted || !c.Must.Any[0].Patients.Contains("1") {
		t.Errorf("case is %+v", c)
	}
	good := Answer{Matches: []string{"Patient/a"}, Total: 3, Included: []string{"Organization/o"}, Unknown: []string{"x"}}
	if err := c.Check(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Answer){
		"matches":  func(a *Answer) { a.Matches = nil },
		"total":    func(a *Answer) { a.Total = 2 },
		"included": func(a *Answer) { a.Included = nil },
		"unknown":  func(a *Answer) { a.Unknown = nil },
	} {
		bad := good
		change(&bad)
		if c.Check(bad) == nil {
			t.Errorf("wrong %s are not seen", name)
		}
	}
	if (&Case{}).Check(Answer{}) == nil {
		t.Error("a case that expects nothing passes")
	}
}
