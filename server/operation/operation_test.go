package operation

import (
	"context"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

func TestOffered(t *testing.T) {
	o := Operation{System: true, Instance: true, Types: []string{"Patient"}}
	for _, tt := range []struct {
		name, resourceType string
		instance, want     bool
	}{
		{"system", "", false, true},
		{"instance of its type", "Patient", true, true},
		{"type level", "Patient", false, false},
		{"another type", "Observation", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := o.Offered(tt.resourceType, tt.instance); got != tt.want {
				t.Error(got)
			}
		})
	}
}

func TestRun(t *testing.T) {
	called := 0
	r := NewRegistry(
		Operation{Name: "write", System: true, Writes: true, Run: func(context.Context, interaction.Call, Input) (*interaction.Reply, error) {
			called++
			return &interaction.Reply{}, nil
		}},
		Operation{Name: "another", Type: true},
	)
	if r.All()[0].Name != "another" {
		t.Errorf("not sorted: %v", r.All())
	}
	for _, tt := range []struct {
		name string
		ask  interaction.OperationRequest
		want string
	}{
		{"unknown", interaction.OperationRequest{Name: "$nothing"}, "operation-unknown"},
		{"without the dollar", interaction.OperationRequest{Name: "write", Post: true}, "operation-unknown"},
		{"at another level", interaction.OperationRequest{Name: "$write", Type: "Patient", Post: true}, "operation-unknown"},
		{"a write by GET", interaction.OperationRequest{Name: "$write"}, "operation-post"},
		{"a broken query", interaction.OperationRequest{Name: "$write", Post: true, Query: "a=%zz"}, "query-invalid"},
		{"as offered", interaction.OperationRequest{Name: "$write", Post: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Run(t.Context(), interaction.Call{}, tt.ask)
			got := ""
			if err != nil {
				got = interaction.AsRefusal(err).Issues[0].ID
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	if called != 1 {
		t.Errorf("called %d times", called)
	}
}

func TestParams(t *testing.T) {
	body := fhir.NewResource("Parameters")
	body.Add("parameter").Set("name", "a").Set("valueString", "3")
	body.Add("parameter").Set("name", "a").Set("valueCode", "4")
	body.Add("parameter").Set("name", "b").Add("valueCoding").Set("code", "c")
	p, err := readParams(interaction.OperationRequest{Query: "a=1&a=2", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Texts("a"); len(got) != 4 || got[0] != "1" || got[3] != "4" {
		t.Errorf("%v", got)
	}
	if p.Text("b") != "" || p.Element("b").Text("code") != "c" || p.Element("none") != nil || p.Text("none") != "" {
		t.Errorf("b: %q %v", p.Text("b"), p.Element("b"))
	}
}

func TestLabels(t *testing.T) {
	meta := fhir.NewResource("Patient").Add("meta")
	coding := func(system, code, display string) *fhir.Element {
		return fhir.NewResource("Patient").Add("meta").Add("tag").Set("system", system).Set("code", code).Set("display", display)
	}
	add(meta, coding("s", "a", "x"))
	if !has(meta, coding("s", "a", "another display")) || has(meta, coding("t", "a", "x")) || has(meta, coding("s", "b", "x")) {
		t.Error("labels are told apart by more or less than system and code")
	}
	drop(meta, coding("s", "a", ""))
	if has(meta, coding("s", "a", "x")) {
		t.Error("not dropped")
	}
}
