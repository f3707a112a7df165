package storetest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Terms are search parameters of the kit's own: "code" (token), "name"
// (string), "date" (days since 1970) and "subject" (reference). Their keys
// hold any bytes, zeros and keys that begin others included.
type Terms struct{}

var _ store.Terms = Terms{}

const (
	kindToken byte = iota + 1
	kindString
	kindDate
	kindReference
)

var syntheticKinds = map[string]byte{"code": kindToken, "name": kindString, "date": kindDate, "subject": kindReference}

func syntheticParam(code string) *search.Parameter {
	return &search.Parameter{SearchParameter: &r4.SearchParameter{Code: code}}
}

func paramPrefix(code string) []byte { return append([]byte(code), 0, syntheticKinds[code]) }

func tokenKey(code, value string) []byte { return append(paramPrefix(code), value...) }

func dateKey(code string, days int64) []byte {
	return binary.BigEndian.AppendUint64(paramPrefix(code), uint64(days)^1<<63)
}

// Keys returns the index keys of a record.
func (Terms) Keys(r Record) [][]byte {
	var keys [][]byte
	for _, c := range r.Code {
		keys = append(keys, tokenKey("code", c))
	}
	for _, n := range r.Name {
		keys = append(keys, tokenKey("name", n))
	}
	for _, d := range r.Date {
		keys = append(keys, dateKey("date", d))
	}
	for _, s := range r.Subject {
		keys = append(keys, tokenKey("subject", s))
	}
	for i, inner := range r.Contained {
		for _, k := range (Terms{}).Keys(inner) {
			keys = append(keys, search.ContainedKey(k, i))
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

// Within implements store.Terms as package search does, which is for keys of
// any bytes.
func (Terms) Within(r search.Range) search.Range { return search.Within(r) }

// ContainedKeys implements store.Terms.
func (Terms) ContainedKeys(keys [][]byte) [][][]byte { return search.ContainedKeys(keys) }

// Ranges implements store.Terms.
func (Terms) Ranges(c search.Clause) ([]search.Range, bool, error) {
	code := c.Param.Code
	prefix := paramPrefix(code)
	whole := search.Range{Low: prefix, High: append([]byte(code), 0, syntheticKinds[code]+1)}
	if c.Modifier == search.ModifierMissing {
		return []search.Range{whole}, c.Missing, nil
	}
	var out []search.Range
	for _, v := range c.Values {
		r, err := syntheticRange(code, c.Modifier, v, whole)
		if err != nil {
			return nil, false, err
		}
		out = append(out, r)
	}
	return out, c.Modifier == search.ModifierNot, nil
}

func syntheticRange(code string, m search.Modifier, v search.Value, whole search.Range) (search.Range, error) {
	key := tokenKey(code, v.Raw)
	exact := search.Range{Low: key, High: append(bytes.Clone(key), 0)}
	switch syntheticKinds[code] {
	case kindToken, kindReference:
		return exact, nil
	case kindString:
		switch m {
		case search.ModifierExact:
			return exact, nil
		case search.ModifierContains:
			whole.Keep = func(k []byte) bool { return bytes.Contains(k[len(whole.Low):], []byte(v.Raw)) }
			return whole, nil
		}
		return search.Range{Low: key, High: afterPrefix(key)}, nil
	case kindDate:
		low, high := dateKey(code, v.From), dateKey(code, v.To)
		switch v.Prefix {
		case search.GreaterEqual:
			return search.Range{Low: low, High: whole.High}, nil
		case search.Less:
			return search.Range{Low: whole.Low, High: low}, nil
		case search.Equal, "":
			return search.Range{Low: low, High: high}, nil
		}
	}
	return search.Range{}, errors.New("no such criterion")
}

func afterPrefix(p []byte) []byte {
	p = bytes.Clone(p)
	for i := len(p) - 1; i >= 0; i-- {
		if p[i]++; p[i] != 0 {
			return p[:i+1]
		}
	}
	return nil
}

// ReferenceKey implements store.Terms.
func (Terms) ReferenceKey(p *search.Parameter, targetType, targetID string) []byte {
	return tokenKey(p.Code, targetType+"/"+targetID)
}

// References implements store.Terms.
func (Terms) References(p *search.Parameter, keys [][]byte) []search.Reference {
	var out []search.Reference
	prefix := paramPrefix(p.Code)
	for _, k := range keys {
		if typ, id, ok := bytes.Cut(bytes.TrimPrefix(k, prefix), []byte("/")); ok && bytes.HasPrefix(k, prefix) {
			out = append(out, search.Reference{Type: string(typ), ID: string(id)})
		}
	}
	return out
}

// SortValue implements store.Terms.
func (Terms) SortValue(p *search.Parameter, keys [][]byte, descending bool) []byte {
	prefix := paramPrefix(p.Code)
	var out []byte
	for _, k := range keys { // sorted
		if bytes.HasPrefix(k, prefix) {
			if out = k[len(prefix):]; !descending {
				return out
			}
		}
	}
	return out
}

// Timeline implements store.Terms: observations of a subject by date, and
// patients of a name by code, of which they may have many, of any bytes.
func (Terms) Timeline(resourceType string, key []byte) (by *search.Parameter, list []byte) {
	switch {
	case resourceType == "Observation" && bytes.HasPrefix(key, paramPrefix("subject")):
		return syntheticParam("date"), key
	case resourceType == "Patient" && bytes.HasPrefix(key, paramPrefix("name")):
		return syntheticParam("code"), key
	}
	return nil, nil
}

// TimelineKind implements store.Terms: codes in the first half of the alphabet.
func (Terms) TimelineKind(key []byte) bool {
	value, ok := bytes.CutPrefix(key, paramPrefix("code"))
	return ok && (len(value) == 0 || value[0] < 'n')
}

// Listed implements store.Terms.
func (Terms) Listed(string, []byte, [][]byte) bool { return true }

// AlsoIn implements store.Terms.
func (Terms) AlsoIn(string, search.Range) (search.Range, bool) { return search.Range{}, false }

// Hint implements store.Terms: the first byte of a value.
func (Terms) Hint(key []byte) []byte {
	if n := bytes.IndexByte(key, 0) + 3; n <= len(key) {
		return key[:n]
	}
	return nil
}

// synthetic is the dialect of Terms.
type synthetic struct{ Terms }

func (synthetic) terms() store.Terms { return Terms{} }

func (synthetic) stamp(key store.Key, r Record) stamp {
	return func(version uint64, at time.Time) ([]byte, [][]byte, error) {
		raw, err := json.Marshal(map[string]any{
			"resourceType": key.Type, "id": key.ID, "record": fmt.Sprintf("%+v", r),
			"meta": map[string]string{"versionId": fmt.Sprint(version), "lastUpdated": at.Format("2006-01-02T15:04:05.000Z07:00")},
		})
		return raw, Terms{}.Keys(r), err
	}
}

func (synthetic) hasCode(v store.Version, code string) bool {
	return strings.Contains(string(v.JSON), "{Code:["+code+"]")
}

func (synthetic) param(_, code string) *search.Parameter { return syntheticParam(code) }

func (synthetic) clause(_, code string, m search.Modifier, values ...string) search.Clause {
	c := search.Clause{Param: syntheticParam(code), Modifier: m}
	if m == search.ModifierMissing {
		c.Missing = values[0] == "true"
		return c
	}
	for _, v := range values {
		value := search.Value{Raw: v}
		if syntheticKinds[code] == kindDate {
			if len(v) > 2 && v[0] > '9' {
				value.Prefix, v = search.Prefix(v[:2]), v[2:]
			}
			t, err := time.Parse(time.DateOnly, v)
			if err != nil {
				panic(err)
			}
			value.From = t.Unix() / 86400
			value.To = value.From + 1
		}
		c.Values = append(c.Values, value)
	}
	return c
}

// Param returns a parameter of Terms: "code", "name", "date" or "subject".
func Param(code string) *search.Parameter { return syntheticParam(code) }
