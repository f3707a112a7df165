package fhir

import (
	"fmt"
	"strings"
)

// Severity of an issue. https://hl7.org/fhir/R4/valueset-issue-severity.html
type Severity string

// The severities, worst first.
const (
	Fatal       Severity = "fatal"
	Error       Severity = "error"
	Warning     Severity = "warning"
	Information Severity = "information"
)

// Code is the kind of an issue. https://hl7.org/fhir/R4/valueset-issue-type.html
type Code string

// The issue types in use.
const (
	Invalid       Code = "invalid"
	Structure     Code = "structure"
	Required      Code = "required"
	Value         Code = "value"
	Invariant     Code = "invariant"
	Security      Code = "security"
	Login         Code = "login"
	Unknown       Code = "unknown"
	Expired       Code = "expired"
	Forbidden     Code = "forbidden"
	Suppressed    Code = "suppressed"
	Processing    Code = "processing"
	NotSupported  Code = "not-supported"
	Duplicate     Code = "duplicate"
	MultipleMatch Code = "multiple-matches"
	NotFound      Code = "not-found"
	Deleted       Code = "deleted"
	TooLong       Code = "too-long"
	CodeInvalid   Code = "code-invalid"
	Extension     Code = "extension"
	TooCostly     Code = "too-costly"
	BusinessRule  Code = "business-rule"
	Conflict      Code = "conflict"
	Transient     Code = "transient"
	Exception     Code = "exception"
	Throttled     Code = "throttled"
	Informational Code = "informational"
)

// Message is a text for people in the two languages of the product. It never
// holds personal data.
type Message struct{ En, Ja string }

// Messagef formats both texts with the same arguments.
func Messagef(en, ja string, args ...any) Message {
	if len(args) == 0 {
		return Message{en, ja}
	}
	return Message{fmt.Sprintf(en, args...), fmt.Sprintf(ja, args...)}
}

// Issue is one thing that is wrong, or worth saying, about a resource or a
// request: one entry of an OperationOutcome.
// https://hl7.org/fhir/R4/operationoutcome.html
type Issue struct {
	Severity Severity
	Code     Code
	// ID names the rule for programs, for instance "element-unknown" or an
	// invariant's key ("dom-3").
	ID string
	// Message says it for people.
	Message Message
	// Expression is the FHIRPath of the element, "Patient.name[0].given[1]".
	Expression string
	// Line and Column, from 1, point into the source; 0 where unknown.
	Line, Column int
}

// Issues is an error that carries every issue found.
type Issues []Issue

// Error returns the English text of the first error and how many follow.
func (is Issues) Error() string {
	if len(is) == 0 {
		return "no issues"
	}
	first := is[0]
	for _, i := range is {
		if i.Severity == Error || i.Severity == Fatal {
			first = i
			break
		}
	}
	var b strings.Builder
	if first.Expression != "" {
		b.WriteString(first.Expression + ": ")
	}
	b.WriteString(first.Message.En)
	if first.Line > 0 {
		fmt.Fprintf(&b, " (line %d, column %d)", first.Line, first.Column)
	}
	if n := len(is) - 1; n > 0 {
		fmt.Fprintf(&b, " (and %d more)", n)
	}
	return b.String()
}

// HasErrors reports whether an issue is an error or fatal.
func (is Issues) HasErrors() bool {
	for _, i := range is {
		if i.Severity == Error || i.Severity == Fatal {
			return true
		}
	}
	return false
}

// Language is a language of messages: "en" or "ja".
type Language string

// The languages of messages.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

const translationURL = "http://hl7.org/fhir/StructureDefinition/translation"

// Outcome returns the OperationOutcome of the issues: details.text in the
// language asked for, the other language as its translation extension. As an
// OperationOutcome must have an issue, no issues make one that says so.
func Outcome(issues Issues, lang Language) *Element {
	if len(issues) == 0 {
		issues = Issues{{Severity: Information, Code: Informational, Message: Message{"no issues", "問題はありません"}}}
	}
	out := NewResource("OperationOutcome")
	for _, i := range issues {
		entry := out.Add("issue")
		entry.Set("severity", string(i.Severity)).Set("code", string(i.Code))
		details := entry.Add("details")
		if i.ID != "" {
			details.Add("coding").Set("code", i.ID)
		}
		text, other, otherLang := i.Message.En, i.Message.Ja, Japanese
		if lang == Japanese && i.Message.Ja != "" {
			text, other, otherLang = i.Message.Ja, i.Message.En, English
		}
		if text != "" {
			details.Set("text", text)
			if other != "" && other != text {
				translate(details.Get("text"), otherLang, other)
			}
		}
		if i.Line > 0 {
			entry.Add("location").SetValue(i.place())
		}
		if i.Expression != "" {
			entry.Add("expression").SetValue(i.Expression)
		}
	}
	return out
}

// place is where the issue lies in the source, as the validators of FHIR write
// it; the column is left out where it is unknown.
func (i *Issue) place() string {
	if i.Column == 0 {
		return fmt.Sprintf("Line[%d]", i.Line)
	}
	return fmt.Sprintf("Line[%d] Col[%d]", i.Line, i.Column)
}

// translate hangs the text in another language on a primitive.
// https://hl7.org/fhir/R4/extension-translation.html
func translate(e *Element, lang Language, text string) {
	ext := e.Add("extension").Set("url", translationURL)
	ext.Add("extension").Set("url", "lang").Set("valueCode", string(lang))
	ext.Add("extension").Set("url", "content").Set("valueString", text)
}
