package main

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// language is that of the environment, for messages to people.
func (a *app) language() fhir.Language {
	if strings.HasPrefix(a.getenv("LANG"), "ja") {
		return fhir.Japanese
	}
	return fhir.English
}

// told is an error with a message that says what to do about it.
type told struct {
	text  string
	cause error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.cause }

// tell gives an error a message in the language of the environment.
func (a *app) tell(cause error, m fhir.Message) error {
	if a.language() == fhir.Japanese {
		return &told{m.Ja, cause}
	}
	return &told{m.En, cause}
}
