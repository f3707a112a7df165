package api

import (
	"net/http"

	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// statuses is the one table that gives each reason of a refusal its status.
// https://hl7.org/fhir/R4/http.html#Status-Codes
var statuses = [...]int{
	interaction.Internal:      http.StatusInternalServerError,
	interaction.BadRequest:    http.StatusBadRequest,
	interaction.Unknown:       http.StatusNotFound,
	interaction.Gone:          http.StatusGone,
	interaction.Denied:        http.StatusForbidden,
	interaction.Colliding:     http.StatusConflict,
	interaction.Failed:        http.StatusPreconditionFailed,
	interaction.Unacceptable:  http.StatusUnprocessableEntity,
	interaction.Unallowed:     http.StatusMethodNotAllowed,
	interaction.Unimplemented: http.StatusNotImplemented,
	interaction.Unavailable:   http.StatusServiceUnavailable,
	interaction.TooLarge:      http.StatusRequestEntityTooLarge,
	interaction.Anonymous:     http.StatusUnauthorized,
	interaction.Throttled:     http.StatusTooManyRequests,
	interaction.MediaType:     http.StatusUnsupportedMediaType,
	interaction.Format:        http.StatusNotAcceptable,
}

// effects gives what a write did its status.
var effects = [...]int{
	0:                   http.StatusOK,
	interaction.Created: http.StatusCreated,
	interaction.Updated: http.StatusOK,
	interaction.Deleted: http.StatusNoContent,
	interaction.Matched: http.StatusOK,
	interaction.Nothing: http.StatusNoContent,
}

// replyStatus returns the status of an answer.
func replyStatus(r *interaction.Reply) int {
	switch {
	case r.Err != nil:
		return statuses[interaction.AsRefusal(r.Err).Reason]
	case r.NotModified:
		return http.StatusNotModified
	}
	return effects[r.Effect]
}
