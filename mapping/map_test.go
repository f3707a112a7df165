package mapping_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
)

func options() mapping.Options {
	n := 0
	return mapping.Options{
		Now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC),
		NewID: func() string {
			n++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		},
	}
}

func TestSamples(t *testing.T) {
	for _, o := range samples.Organizations() {
		files := samples.Of(o)
		if len(files) == 0 {
			continue
		}
		t.Run(o.Key, func(t *testing.T) {
			res := mapping.Map(files, options())
			for _, p := range res.Problems {
				t.Log(p)
			}
			if res.Refused > 0 || res.Bundle == nil {
				t.Fatalf("%d rows refused", res.Refused)
			}
			data := fhirjson.AppendIndent(nil, res.Bundle)
			if _, err := fhirjson.Decode(data, fhirjson.Options{}); err != nil {
				t.Error(err)
			}
			t.Logf("%s\n%d", data, len(data))
		})
	}
}
