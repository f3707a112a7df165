package search

import (
	"fmt"
	"math/big"
	"math/bits"
	"sync"

	"github.com/iimos/ucum"
)

// unitsKept bounds the cache of units: their codes come from clients.
const unitsKept = 4096

// units converts UCUM units to a canonical one of their dimension. It is safe
// for concurrent use. https://ucum.org/ucum
type units struct {
	mu         sync.RWMutex
	known      map[string]unit
	candidates []ucum.Unit
	names      []string
}

// unit is how a UCUM unit becomes canonical: a power of ten, or a factor, or,
// for temperatures, a conversion.
type unit struct {
	name  string // of the canonical unit; "" for what is no UCUM unit
	shift int32  // exponent to add to the product with times
	times uint64 // small factor, 0 where factor or special must do it
	// factor and special are used by convert; they do not change.
	factor  *big.Rat
	special ucum.PairConverter
}

func newUnits() *units {
	u := &units{known: map[string]unit{}}
	for _, name := range canonicalUnits() {
		if parsed, err := ucum.Parse([]byte(name)); err == nil {
			u.candidates, u.names = append(u.candidates, parsed), append(u.names, name)
		}
	}
	return u
}

// canonicalUnits are the units tried in turn; the first that is commensurable
// is canonical. They span the dimensions of mass, length and time that health
// records use, with temperature, light, angle, charge and the international
// unit. A unit of no such dimension is its own canonical unit.
func canonicalUnits() []string {
	names := []string{"1", "g", "m", "s", "K", "rad", "C", "cd"}
	for _, base := range []string{"g", "1", "1/g", "[iU]", "K", "C", "cd", "rad", "g.C-1"} {
		for _, length := range []int{0, -3, -2, -1, 1, 2, 3} {
			for _, time := range []int{0, -1, -2, -3, 1, 2} {
				name := base
				if length != 0 {
					name += fmt.Sprintf(".m%d", length)
				}
				switch time {
				case 0:
				case -1: // so that rates by second, minute and hour are exact
					name += ".h-1"
				default:
					name += fmt.Sprintf(".s%d", time)
				}
				names = append(names, name)
			}
		}
	}
	return names
}

// canonical finds the canonical unit; ok is false where code is not UCUM.
func (u *units) canonical(code string) (unit, bool) {
	u.mu.RLock()
	c, ok := u.known[code]
	u.mu.RUnlock()
	if !ok {
		c = u.find(code)
		u.mu.Lock()
		if len(u.known) >= unitsKept {
			clear(u.known)
		}
		u.known[code] = c
		u.mu.Unlock()
	}
	return c, c.name != ""
}

func (u *units) find(code string) unit {
	if code == "" || len(code) > 60 {
		return unit{}
	}
	parsed, err := ucum.Parse([]byte(bare(code)))
	if err != nil {
		return unit{}
	}
	for i, candidate := range u.candidates {
		conv, err := ucum.NewPairConverter(parsed, candidate)
		if err != nil {
			continue
		}
		if c, ok := newUnit(u.names[i], conv); ok {
			return c
		}
		break
	}
	return unit{name: bare(code)}
}

// newUnit refuses scales that are neither linear nor a temperature (pH, dB):
// they are not exact in decimals.
func newUnit(name string, conv ucum.PairConverter) (unit, bool) {
	zero, one := conv.ConvBigRat(new(big.Rat)), conv.ConvBigRat(big.NewRat(1, 1))
	if zero.Sign() != 0 {
		return unit{name: name, special: conv}, name == "K"
	}
	two := conv.ConvBigRat(big.NewRat(2, 1))
	if two.Cmp(new(big.Rat).Add(one, one)) != 0 || one.Sign() <= 0 {
		return unit{}, false
	}
	c := unit{name: name, factor: one}
	if d, exact := fromRat(one); exact {
		c.times, c.shift, _ = d.small()
	}
	return c, true
}

// convert gives the number in the canonical unit.
func (c unit) convert(d decimal) decimal {
	switch {
	case d.class == 2 || d.class == -2:
		return d
	case c.factor == nil && c.special == nil || d.class == 0 && c.special == nil:
		return d
	case c.times == 1:
		d.exp += c.shift
		return d
	}
	if n, exp, ok := d.small(); ok && c.times != 0 {
		if high, low := bits.Mul64(n, c.times); high == 0 {
			return fromSmall(d.class, low, exp+c.shift)
		}
	}
	r := d.rat()
	if c.special != nil {
		r = c.special.ConvBigRat(r)
	} else {
		r = new(big.Rat).Mul(r, c.factor)
	}
	out, _ := fromRat(r)
	return out
}

// small returns the number without its sign as an integer and a power of ten,
// where the integer is small.
func (d decimal) small() (n uint64, exp int32, ok bool) {
	if d.n > 18 {
		return 0, 0, false
	}
	for _, digit := range d.digits[:d.n] {
		n = n*10 + uint64(digit)
	}
	return n, d.exp - int32(d.n), true
}

// fromSmall is the reverse of small.
func fromSmall(class int8, n uint64, exp int32) decimal {
	var text [20]byte
	i := len(text)
	for ; n > 0; n /= 10 {
		i--
		text[i] = byte(n % 10)
	}
	d := decimal{class: class, n: uint8(len(text) - i), exp: exp + int32(len(text)-i)}
	copy(d.digits[:], text[i:])
	d.trim()
	return d
}

// rat returns the number; exponents far out of what is measured are refused
// by returning zero, so that nothing grows without bound.
func (d decimal) rat() *big.Rat {
	n, exp := d.scaled()
	if exp > 400 || exp < -400 {
		return new(big.Rat)
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil)
	if exp < 0 {
		return new(big.Rat).SetFrac(n, power)
	}
	return new(big.Rat).SetInt(n.Mul(n, power))
}

// fromRat rounds to the digits that are kept.
func fromRat(r *big.Rat) (d decimal, exact bool) {
	if r.IsInt() && r.Num().BitLen() < 70 {
		return unscaled(r.Num(), 0), true
	}
	// Bring the number to digitsKept+2 digits before the point, then cut.
	estimate := (r.Num().BitLen() - r.Denom().BitLen()) * 30103 / 100000
	shift := digitsKept + 2 - estimate
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	num, den := new(big.Int).Set(r.Num()), new(big.Int).Set(r.Denom())
	if shift >= 0 {
		num.Mul(num, scale)
	} else {
		den.Mul(den, scale)
	}
	quo, rem := new(big.Int).QuoRem(num, den, new(big.Int))
	d = unscaled(quo, -shift)
	return d, rem.Sign() == 0
}
