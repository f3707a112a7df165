package operation

import (
	"context"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Diff is $diff on an instance: what changed from version "from" (the one
// before where it is not given) to version "to" (the current one), as a
// FHIRPath Patch. The caller must be allowed to see both.
// https://hl7.org/fhir/R4/fhirpatch.html
func Diff(s *interaction.Service) Operation {
	return Operation{
		Name: "diff", Definition: care.Canonical + "/OperationDefinition/diff", Instance: true,
		Run: func(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
			key := store.Key{Type: in.Type, ID: in.ID}
			to, err := version(ctx, s, c, key, in.Text("to"))
			if err != nil {
				return nil, err
			}
			text := in.Text("from")
			if text == "" {
				text = strconv.FormatUint(to.Version-1, 10)
			}
			from, err := version(ctx, s, c, key, text)
			if err != nil {
				return nil, err
			}
			return difference(from, to)
		},
	}
}

// version reads a version by its number, the current one where it is "".
func version(ctx context.Context, s *interaction.Service, c interaction.Call, key store.Key, text string) (store.Version, error) {
	if text == "" {
		return s.Read(ctx, c, key)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return store.Version{}, interaction.Refuse(interaction.BadRequest, fhir.Value, "diff-version", fhir.Messagef(
			"from and to are numbers of versions, from 1", "from と to には1以上の版番号を指定してください"))
	}
	return s.VRead(ctx, c, key, n)
}

func difference(from, to store.Version) (*interaction.Reply, error) {
	a, err := decodeStored(from.JSON)
	if err != nil {
		return nil, err
	}
	b, err := decodeStored(to.JSON)
	if err != nil {
		return nil, err
	}
	for _, e := range []*fhir.Element{a, b} { // these always differ
		if meta := e.Get("meta"); meta != nil {
			meta.Remove("versionId")
			meta.Remove("lastUpdated")
		}
	}
	d, err := patch.Diff(a, b)
	return &interaction.Reply{Resource: d}, err
}
