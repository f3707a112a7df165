package search

import (
	"math"
	"slices"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// isNear tells the parameter near of Location, the only one of type special that
// can be searched.
// https://hl7.org/fhir/R4/location.html#search
func isNear(p *Parameter) bool {
	return p.Type == "special" && p.URL == "http://hl7.org/fhir/SearchParameter/Location-near"
}

// place is a position on the Earth, in degrees of WGS84 times placesPerDegree:
// about a centimetre.
type place struct{ latitude, longitude int64 }

const placesPerDegree = 1e7

// earthRadius is the mean radius in metres. Distances are those on a sphere: up
// to half a percent off.
const earthRadius = 6371008.8

// nearByDefault is the distance in metres where a query gives none.
const nearByDefault = 10_000

// newPlace reads a position; ok is false where there is no such place.
func newPlace(latitude, longitude string) (p place, ok bool) {
	lat, err1 := strconv.ParseFloat(latitude, 64)
	lon, err2 := strconv.ParseFloat(longitude, 64)
	if err1 != nil || err2 != nil || !(math.Abs(lat) <= 90) || !(math.Abs(lon) <= 180) {
		return p, false
	}
	return place{int64(math.Round(lat * placesPerDegree)), int64(math.Round(lon * placesPerDegree))}, true
}

// places appends the place of a Location.position.
func (x *extraction) places(dst []place, e *fhir.Element) []place {
	if p, ok := newPlace(e.Text("latitude"), e.Text("longitude")); ok {
		return append(dst, p)
	}
	return dst
}

func (p place) radians() (latitude, longitude float64) {
	const unit = math.Pi / 180 / placesPerDegree
	return float64(p.latitude) * unit, float64(p.longitude) * unit
}

// distance is that on the sphere in metres.
func (p place) distance(q place) float64 {
	lat1, lon1 := p.radians()
	lat2, lon2 := q.radians()
	a, b := math.Sin((lat2-lat1)/2), math.Sin((lon2-lon1)/2)
	return 2 * earthRadius * math.Asin(math.Min(1, math.Sqrt(a*a+math.Cos(lat1)*math.Cos(lat2)*b*b)))
}

func (p place) keys(k *keys) {
	k.begin(kindPlace)
	k.buf = appendInt64(appendInt64(k.buf, p.latitude), p.longitude)
	k.end()
}

// Near is the area a value of near asks for: all within some metres of a place.
type Near struct {
	centre place
	metres float64
}

func (n *Near) contains(p place) bool { return n.centre.distance(p) <= n.metres }

// nearRanges is the band of latitudes that the area lies in; each place in it is
// looked at.
func nearRanges(v *Value) []Range {
	if v.Near == nil {
		return nil
	}
	height := int64(math.Ceil(v.Near.metres/earthRadius*180/math.Pi*placesPerDegree)) + 1
	low, high := v.Near.centre.latitude-height, v.Near.centre.latitude+height
	r := between([]byte{kindPlace}, appendInt64(nil, low), appendInt64(nil, high+1))
	r.Keep = func(atom []byte) bool {
		return len(atom) == 17 && v.Near.contains(place{readInt64(atom[1:9]), readInt64(atom[9:17])})
	}
	return []Range{r}
}

// parseNear reads latitude|longitude|distance|unit. The unit is one of length in
// UCUM, km where there is none.
func (r *Registry) parseNear(raw string) (Value, string) {
	v := Value{Raw: unescape(raw)}
	parts := splitEscaped(raw, '|')
	if len(parts) < 2 || len(parts) > 4 {
		return v, "latitude|longitude|distance|unit is expected"
	}
	parts = append(parts, slices.Repeat([]string{""}, 4-len(parts))...)
	centre, ok := newPlace(parts[0], parts[1])
	if !ok {
		return v, "the value is not a place"
	}
	v.Near = &Near{centre, nearByDefault}
	if parts[2] == "" {
		return v, ""
	}
	if parts[3] == "" {
		parts[3] = "km"
	}
	number, ok := parseDecimal(parts[2])
	unit, known := r.units.canonical(parts[3])
	if metre, _ := r.units.canonical("m"); !ok || number.class < 0 || !known || unit.name != metre.name {
		return v, "the distance is not a length in a unit of UCUM"
	}
	metres, _ := unit.convert(number).rat().Float64()
	v.Near.metres = math.Min(metres, math.Pi*earthRadius)
	return v, ""
}
