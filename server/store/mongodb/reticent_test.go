package mongodb

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// TestWithoutText wants codes in place of what a deployment says, and the error
// itself for those who handle it.
func TestWithoutText(t *testing.T) {
	const secret = "Patient/0123"
	for _, err := range []error{
		mongo.CommandError{Code: 10334, Name: "BSONObjectTooLarge", Message: "_id: " + secret},
		mongo.WriteException{WriteErrors: []mongo.WriteError{{Code: 10334, Message: secret}}},
		mongo.BulkWriteException{WriteErrors: []mongo.BulkWriteError{{WriteError: mongo.WriteError{Code: 10334, Message: secret}}}},
	} {
		got := withoutText(fmt.Errorf("mongodb: write: %w", err))
		if text := got.Error(); strings.Contains(text, secret) || !strings.Contains(text, "10334") {
			t.Errorf("%T: %s", err, text)
		}
		var server mongo.ServerError
		if !errors.As(got, &server) || !server.HasErrorCode(10334) {
			t.Errorf("%T: the error is lost", err)
		}
	}
	if other := errors.New("mongodb: other"); withoutText(other) != other || withoutText(nil) != nil {
		t.Error("another error has changed")
	}
}
