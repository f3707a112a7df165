package fhir

// NumberLen returns the length of the JSON number that s begins with, 0 where
// it begins with none. A decimal, integer, positiveInt or unsignedInt whose
// value is not wholly such a number has no JSON form.
// https://www.rfc-editor.org/rfc/rfc8259#section-6
func NumberLen(s string) int {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	first := i
	i = digits(s, i)
	if i == first || s[first] == '0' && i > first+1 {
		return 0
	}
	if i < len(s) && s[i] == '.' {
		n := digits(s, i+1)
		if n == i+1 {
			return 0
		}
		i = n
	}
	return exponent(s, i)
}

// exponent returns the end of the exponent at i, i where there is none, 0 for
// a bad one.
func exponent(s string, i int) int {
	if i == len(s) || s[i]|0x20 != 'e' {
		return i
	}
	i++
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	n := digits(s, i)
	if n == i {
		return 0
	}
	return n
}

// digits returns the end of the digits that begin at i.
func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}
