package policy

import (
	"bytes"
	"errors"
	"strings"
)

// MarshalText writes the scopes so that UnmarshalText gives the same ones back:
// for work that goes on after the request, under what its token allowed.
func (s Scopes) MarshalText() ([]byte, error) {
	return []byte(joinScopes(s.granted) + "\n" + joinScopes(s.requested)), nil
}

// UnmarshalText reads what MarshalText wrote. It is for the server's own
// records alone: it asks nobody whether the scopes may be granted.
func (s *Scopes) UnmarshalText(text []byte) error {
	granted, requested, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return errors.New("policy: these are no scopes")
	}
	var out Scopes
	for _, part := range []struct {
		text []byte
		into *[]Scope
	}{{granted, &out.granted}, {requested, &out.requested}} {
		for f := range strings.FieldsSeq(string(part.text)) {
			one, err := ParseScope(f)
			if err != nil {
				return err
			}
			*part.into = append(*part.into, one)
		}
	}
	*s = out
	return nil
}
