package search

import (
	"slices"
	"testing"
)

// ids is a set of patients for tests.
type ids []string

func (s ids) Contains(id string) bool { return slices.Contains(s, id) }
func (s ids) Len() int                { return len(s) }
func (s ids) IDs() []string           { return s }

func TestMustAllows(t *testing.T) {
	labels := Labels{Form: "careplan", Author: "office-1", Patients: []string{"p1", "p2"}}
	tests := []struct {
		name string
		must Must
		want bool
	}{
		{"zero value sees nothing", Must{}, false},
		{"empty list of grants", Must{Any: []Grant{}}, false},
		{"a grant without conditions covers nothing", Must{Any: []Grant{{}}}, false},
		{"unrestricted", Must{Unrestricted: true}, true},
		{"type", Must{Any: []Grant{{Types: []string{"CarePlan"}}}}, true},
		{"other type", Must{Any: []Grant{{Types: []string{"Patient"}}}}, false},
		{"form", Must{Any: []Grant{{Forms: []string{"opinion", "careplan"}}}}, true},
		{"other form", Must{Any: []Grant{{Forms: []string{"opinion"}}}}, false},
		{"author", Must{Any: []Grant{{Authors: []string{"office-1"}}}}, true},
		{"other author", Must{Any: []Grant{{Authors: []string{"office-2"}}}}, false},
		{"a patient of several", Must{Any: []Grant{{Patients: ids{"p2"}}}}, true},
		{"other patient", Must{Any: []Grant{{Patients: ids{"p3"}}}}, false},
		{"an empty set of patients is a condition nothing meets", Must{Any: []Grant{{Patients: ids{}}}}, false},
		{"an empty set does not fall back to the other fields", Must{Any: []Grant{{Types: []string{"CarePlan"}, Patients: ids{}}}}, false},
		{"id", Must{Any: []Grant{{ID: "CarePlan/c1"}}}, true},
		{"other id", Must{Any: []Grant{{ID: "CarePlan/c2"}}}, false},
		{"id with a field that fails", Must{Any: []Grant{{ID: "CarePlan/c1", Forms: []string{"life"}}}}, false},
		{"all fields hold", Must{Any: []Grant{{Types: []string{"CarePlan"}, Forms: []string{"careplan"}, Authors: []string{"office-1"}, Patients: ids{"p1"}, ID: "CarePlan/c1"}}}, true},
		{"one of all fields fails", Must{Any: []Grant{{Types: []string{"CarePlan"}, Forms: []string{"careplan"}, Authors: []string{"office-9"}, Patients: ids{"p1"}}}}, false},
		{"a later grant covers", Must{Any: []Grant{{Types: []string{"Patient"}}, {Authors: []string{"office-1"}}}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.must.Allows("CarePlan", "c1", labels); got != tt.want {
				t.Errorf("Allows = %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("no labels", func(t *testing.T) {
		m := Must{Any: []Grant{{Forms: []string{""}}}}
		if !m.Allows("Patient", "p1", Labels{}) {
			t.Error("the empty form does not name records of no form")
		}
	})
}
