package terminology

import (
	"regexp"
	"sync"
	"sync/atomic"

	"github.com/iimos/ucum"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// The code systems whose codes follow a grammar or a table of the Go
// libraries instead of a CodeSystem resource.
// https://hl7.org/fhir/R4/terminologies-systems.html
const (
	systemUCUM     = "http://unitsofmeasure.org"
	systemLanguage = "urn:ietf:bcp:47"
	systemMIME     = "urn:ietf:bcp:13"
	systemCurrency = "urn:iso:std:iso:4217"
	systemCountry  = "urn:iso:std:iso:3166"
)

// grammar decides about the codes of a system that is not enumerated here.
type grammar func(code string) (display string, ok bool)

// grammars is the immutable table of the systems decided by grammar.
var grammars = sync.OnceValue(func() map[string]grammar {
	return map[string]grammar{
		systemUCUM:     isUnit,
		systemLanguage: isLanguage,
		systemMIME:     isMIMEType,
		systemCurrency: isCurrency,
		systemCountry:  isCountry,
	}
})

// maxUnit bounds the length of a unit handed to the UCUM parser.
const maxUnit = 256

func isUnit(code string) (string, bool) {
	if code == "" || len(code) > maxUnit {
		return "", false
	}
	if _, ok := units.Load(code); ok {
		return "", true
	}
	if _, err := ucum.Parse([]byte(code)); err != nil {
		return "", false
	}
	if unitCount.Load() < maxUnits {
		unitCount.Add(1)
		units.Store(code, nil)
	}
	return "", true
}

// units are those that were parsed once, up to about maxUnits: most resources
// bring the same few.
var (
	units     sync.Map
	unitCount atomic.Int32
)

const maxUnits = 1000

func isLanguage(code string) (string, bool) {
	tag, err := language.Parse(code)
	if err != nil {
		return "", false
	}
	return display.English.Tags().Name(tag), true
}

// mimeType is type "/" subtype with whatever parameters, and the shorthands of
// Attachment and Binary that FHIR itself uses ("json", "xml", "ttl").
// https://www.rfc-editor.org/rfc/rfc6838#section-4.2
var mimeType = sync.OnceValue(func() *regexp.Regexp {
	const name = `[A-Za-z0-9*][A-Za-z0-9!#$&^_.+*-]*`
	return regexp.MustCompile(`^(` + name + `/` + name + `(\s*;.*)?|json|xml|ttl)$`)
})

func isMIMEType(code string) (string, bool) { return "", mimeType().MatchString(code) }

func isCurrency(code string) (string, bool) {
	unit, err := currency.ParseISO(code)
	return "", err == nil && unit.String() == code
}

// isCountry knows alpha-2, alpha-3 and numeric codes.
func isCountry(code string) (string, bool) {
	r, err := language.ParseRegion(code)
	if err != nil || !r.IsCountry() && len(code) == 2 {
		return "", false
	}
	return display.English.Regions().Name(r), true
}
