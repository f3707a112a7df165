package main

import "testing"

func TestMatrixWith(t *testing.T) {
	tests := []struct {
		name     string
		switches []string
		on, ok   bool
	}{
		{"none", nil, false, true},
		{"named", []string{"break-glass"}, true, true},
		{"on", []string{"break-glass=true"}, true, true},
		{"the last counts", []string{"break-glass", "break-glass=false"}, false, true},
		{"misspelt", []string{"break-glas"}, false, false},
		{"odd value", []string{"break-glass=1"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := matrixWith(tt.switches)
			if (err == nil) != tt.ok || err == nil && m.On("break-glass") != tt.on {
				t.Errorf("%v", err)
			}
		})
	}
}
