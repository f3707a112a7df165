package search

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var drawDecimal = rapid.StringMatching(`-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?`)

func rat(t *rapid.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("big.Rat cannot read %q", s)
	}
	return r
}

func TestDecimalSortsAsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, u := drawDecimal.Draw(t, "s"), drawDecimal.Draw(t, "u")
		d, ok := parseDecimal(s)
		e, ok2 := parseDecimal(u)
		if !ok || !ok2 {
			t.Fatalf("parse %q %v, %q %v", s, ok, u, ok2)
		}
		want := rat(t, s).Cmp(rat(t, u))
		if got := d.compare(e); got != want {
			t.Fatalf("compare(%s, %s) = %d, want %d", s, u, got, want)
		}
		if got := bytes.Compare(d.append(nil), e.append(nil)); got != want {
			t.Fatalf("keys of %s, %s compare %d, want %d", s, u, got, want)
		}
		back, rest := readDecimal(append(d.append(nil), "rest"...))
		if back != d || string(rest) != "rest" {
			t.Fatalf("%s came back as %v with rest %q", s, back, rest)
		}
	})
}

func TestPrecision(t *testing.T) {
	tests := []struct{ written, low, high string }{
		{"100", "99.5", "100.5"},
		{"100.00", "99.995", "100.005"},
		{"1e2", "95", "105"},
		{"-1e2", "-105", "-95"},
		{"12e1", "115", "125"},
		{"1.0e2", "95", "105"},
		{"5.4", "5.35", "5.45"},
		{"0", "-0.5", "0.5"},
		{"-5", "-5.5", "-4.5"},
		{"5.40e-3", "0.005395", "0.005405"},
	}
	for _, tt := range tests {
		t.Run(tt.written, func(t *testing.T) {
			low, high, ok := precision(tt.written)
			wl, _ := parseDecimal(tt.low)
			wh, _ := parseDecimal(tt.high)
			if !ok || low != wl || high != wh {
				t.Errorf("precision = [%v, %v) %v, want [%v, %v)", low, high, ok, wl, wh)
			}
		})
	}
}

func TestDecimalRounds(t *testing.T) {
	nines, _ := parseDecimal(strings.Repeat("9", 30))
	want, _ := parseDecimal("1e30")
	if nines != want {
		t.Errorf("thirty nines = %v", nines)
	}
	for _, bad := range []string{"", "-", ".", "1.2.3", "1e", "1e99999", "x", "0x10", "1_0", "NaN"} {
		if d, ok := parseDecimal(bad); ok {
			t.Errorf("parseDecimal(%q) = %v", bad, d)
		}
	}
	if minusInfinity.compare(nines) != -1 || plusInfinity.compare(nines) != 1 || plusInfinity.compare(plusInfinity) != 0 {
		t.Error("infinities are out of place")
	}
}
