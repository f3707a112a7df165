package search

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
)

// digitsKept is how many significant digits of a decimal are compared; more
// are rounded, half up. FHIR asks for 18 at least.
const digitsKept = 24

// decimal is a number as it is indexed and compared: ± 0.d₁d₂d₃… × 10^exp
// without leading or trailing zeros, so that equal numbers are equal values.
type decimal struct {
	class  int8 // -2 minus infinity, -1 negative, 0 zero, 1 positive, 2 infinity
	n      uint8
	exp    int32
	digits [digitsKept]byte // 0 to 9
}

var (
	minusInfinity = decimal{class: -2}
	plusInfinity  = decimal{class: 2}
)

// parseDecimal reads a decimal as FHIR and its queries write it: sign, digits,
// point, exponent.
// https://hl7.org/fhir/R4/datatypes.html#decimal
func parseDecimal(s string) (d decimal, ok bool) {
	rest := s
	d.class = 1
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		if rest[0] == '-' {
			d.class = -1
		}
		rest = rest[1:]
	}
	point, seen, lead, round := 0, false, true, byte(0)
	count := 0 // significant digits read
	i := 0
	any := false
	for ; i < len(rest); i++ {
		c := rest[i]
		if c == '.' && !seen {
			seen = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		any = true
		if lead && c == '0' {
			if seen {
				point--
			}
			continue
		}
		lead = false
		if count < digitsKept {
			d.digits[count] = c - '0'
		} else if count == digitsKept {
			round = c - '0'
		}
		count++
		if !seen {
			point++
		}
	}
	if !any {
		return decimal{}, false
	}
	exp := 0
	if i < len(rest) {
		if rest[i] != 'e' && rest[i] != 'E' {
			return decimal{}, false
		}
		e, err := strconv.ParseInt(rest[i+1:], 10, 16)
		if err != nil {
			return decimal{}, false
		}
		exp = int(e)
	}
	d.exp = int32(point + exp)
	d.n = uint8(min(count, digitsKept))
	if round >= 5 {
		d.roundUp()
	}
	d.trim()
	return d, true
}

func (d *decimal) roundUp() {
	for i := int(d.n) - 1; i >= 0; i-- {
		if d.digits[i] < 9 {
			d.digits[i]++
			return
		}
		d.digits[i] = 0
	}
	copy(d.digits[1:], d.digits[:digitsKept-1])
	d.digits[0] = 1
	d.exp++
}

func (d *decimal) trim() {
	for d.n > 0 && d.digits[d.n-1] == 0 {
		d.n--
	}
	if d.n == 0 {
		*d = decimal{}
	}
}

// compare returns -1, 0 or 1.
func (d decimal) compare(e decimal) int {
	if d.class != e.class {
		if d.class < e.class {
			return -1
		}
		return 1
	}
	c := 0
	switch {
	case d.exp < e.exp:
		c = -1
	case d.exp > e.exp:
		c = 1
	default:
		c = bytes.Compare(d.digits[:d.n], e.digits[:e.n])
	}
	return c * int(d.class) % 2 // infinities are equal, with no digits
}

// append appends an encoding that sorts as the number does and tells its own
// end: a class, the exponent, pairs of digits, an end mark; all inverted for
// negative numbers.
func (d decimal) append(dst []byte) []byte {
	switch d.class {
	case -2:
		return append(dst, 0x00)
	case 0:
		return append(dst, 0x80)
	case 2:
		return append(dst, 0xff)
	}
	class, flip := byte(0xc0), byte(0)
	if d.class < 0 {
		class, flip = 0x40, 0xff
	}
	e := uint16(min(max(d.exp, -32768), 32767) + 32768)
	dst = append(dst, class, byte(e>>8)^flip, byte(e)^flip)
	for i := 0; i < int(d.n); i += 2 {
		pair := d.digits[i] * 10
		if i+1 < int(d.n) {
			pair += d.digits[i+1]
		}
		dst = append(dst, (pair+1)^flip)
	}
	return append(dst, flip)
}

// readDecimal is the reverse of append; it returns the rest of b.
func readDecimal(b []byte) (d decimal, rest []byte) {
	if len(b) == 0 {
		return decimal{}, nil
	}
	flip := byte(0)
	switch b[0] {
	case 0x00:
		return minusInfinity, b[1:]
	case 0x80:
		return decimal{}, b[1:]
	case 0xff:
		return plusInfinity, b[1:]
	case 0x40:
		d.class, flip = -1, 0xff
	default:
		d.class = 1
	}
	if len(b) < 4 {
		return decimal{}, nil
	}
	d.exp = int32(uint16(b[1]^flip)<<8|uint16(b[2]^flip)) - 32768
	for b = b[3:]; len(b) > 0 && b[0] != flip && int(d.n)+1 < digitsKept+1; b = b[1:] {
		pair := (b[0] ^ flip) - 1
		d.digits[d.n], d.digits[d.n+1] = pair/10, pair%10
		d.n += 2
	}
	if len(b) > 0 {
		b = b[1:]
	}
	d.trim()
	return d, b
}

// scaled returns the number as an integer and a power of ten.
func (d decimal) scaled() (*big.Int, int) {
	n := new(big.Int)
	var text [digitsKept]byte
	for i := range d.digits[:d.n] {
		text[i] = '0' + d.digits[i]
	}
	if d.n > 0 {
		n.SetString(string(text[:d.n]), 10)
	}
	if d.class < 0 {
		n.Neg(n)
	}
	return n, int(d.exp) - int(d.n)
}

// unscaled is the reverse of scaled, rounded to the digits that are kept.
func unscaled(n *big.Int, exp int) decimal {
	d, _ := parseDecimal(n.String())
	if d.class != 0 {
		d.exp += int32(exp)
	}
	return d
}

// String returns the number as a decimal with an exponent.
func (d decimal) String() string {
	switch d.class {
	case -2:
		return "-inf"
	case 0:
		return "0"
	case 2:
		return "inf"
	}
	n, exp := d.scaled()
	if exp == 0 {
		return n.String()
	}
	return n.String() + "e" + strconv.Itoa(exp)
}

// precision returns the range a query's number stands for: half a unit of the
// last digit written to either side. A number of a single digit with an
// exponent counts one digit more, since R4 says that 1e2 is [95, 105).
// https://hl7.org/fhir/R4/search.html#number
func precision(written string) (low, high decimal, ok bool) {
	d, ok := parseDecimal(written)
	if !ok {
		return d, d, false
	}
	mantissa, exp := written, 0
	if i := strings.IndexAny(written, "eE"); i >= 0 {
		mantissa = written[:i]
		exp, _ = strconv.Atoi(written[i+1:])
	}
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		exp -= len(mantissa) - i - 1
	}
	mantissa = strings.Replace(mantissa, ".", "", 1)
	if len(strings.TrimLeft(mantissa, "+-")) == 1 && len(mantissa) < len(written) {
		mantissa, exp = mantissa+"0", exp-1
	}
	n, good := new(big.Int).SetString(mantissa, 10)
	if !good || len(mantissa) > digitsKept-2 {
		return d, d, false
	}
	n.Mul(n, big.NewInt(10))
	five := big.NewInt(5)
	return unscaled(new(big.Int).Sub(n, five), exp-1), unscaled(new(big.Int).Add(n, five), exp-1), true
}

// tenth returns the number ± a tenth of it, the range of the prefix ap.
func (d decimal) tenth() (low, high decimal) {
	n, exp := d.scaled()
	a := unscaled(new(big.Int).Mul(n, big.NewInt(9)), exp-1)
	b := unscaled(new(big.Int).Mul(n, big.NewInt(11)), exp-1)
	if a.compare(b) > 0 {
		a, b = b, a
	}
	return a, b
}
