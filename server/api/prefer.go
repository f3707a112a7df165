package api

import (
	"net/http"
	"strings"

	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// prefer is a Prefer header. https://hl7.org/fhir/R4/http.html#ops
type prefer struct {
	ret    interaction.Return
	strict bool
	async  bool
}

// without writes the preferences that are left where the request is done later.
func (p prefer) without() string {
	var parts []string
	if p.ret != "" {
		parts = append(parts, "return="+string(p.ret))
	}
	if p.strict {
		parts = append(parts, "handling=strict")
	}
	return strings.Join(parts, ", ")
}

func readPrefer(r *http.Request) prefer {
	var p prefer
	for _, line := range r.Header["Prefer"] {
		for part := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ';' }) {
			switch strings.TrimSpace(part) {
			case "return=minimal":
				p.ret = interaction.ReturnMinimal
			case "return=representation":
				p.ret = interaction.ReturnRepresentation
			case "return=OperationOutcome":
				p.ret = interaction.ReturnOutcome
			case "handling=strict":
				p.strict = true
			case "respond-async":
				p.async = true
			}
		}
	}
	return p
}
