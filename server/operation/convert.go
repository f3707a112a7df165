package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// convert gives a resource back in the format the client accepts.
// https://hl7.org/fhir/R4/resource-operation-convert.html
func (e *Env) convert() Operation {
	return Operation{
		Name: "convert", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-convert", System: true,
		Run: func(_ context.Context, _ interaction.Call, in Input) (*interaction.Reply, error) {
			if in.Body == nil {
				return nil, missing("input")
			}
			if r := in.Resource("input"); r != nil {
				return &interaction.Reply{Resource: asRoot(r)}, nil
			}
			return &interaction.Reply{Resource: in.Body}, nil
		},
	}
}
