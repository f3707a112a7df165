package mongodb

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// reticent is an error of the deployment without what it said: its text may quote
// what was to be written. Whoever handles the error finds all of it by Unwrap;
// logs print the codes.
// https://www.mongodb.com/docs/manual/reference/error-codes/
type reticent struct {
	said  error
	codes []int
}

// withoutText makes errors of the deployment reticent and leaves others as they
// are.
func withoutText(err error) error {
	var server mongo.ServerError
	if !errors.As(err, &server) {
		return err
	}
	return &reticent{said: err, codes: server.ErrorCodes()}
}

func (r *reticent) Error() string {
	return fmt.Sprintf("mongodb: the deployment refused, codes %d", r.codes)
}

func (r *reticent) Unwrap() error { return r.said }
