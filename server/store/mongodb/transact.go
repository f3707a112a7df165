package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// transact makes a change in one multi-document transaction, repeated as a
// whole on TransientTransactionError; only its commit is repeated on
// UnknownTransactionCommitResult. A refusal is committed too: the state
// document it was decided on is then known to be that of a majority, and
// nobody is told of a write that may still be undone.
func (e *Engine) transact(ctx context.Context, do stage) error {
	opts := options.Transaction().SetReadConcern(readconcern.Snapshot()).
		SetWriteConcern(onDisk()).SetReadPreference(readpref.Primary())
	return e.inSession(ctx, func(ctx context.Context, s *mongo.Session) error {
		_, err := s.WithTransaction(ctx, func(ctx context.Context) (any, error) {
			return nil, e.transaction(ctx, do)
		}, opts)
		return err
	})
}

// transaction is the body of a transaction. Taking the turn first makes sure
// that no other transaction is committed before this one ends.
func (e *Engine) transaction(ctx context.Context, do stage) error {
	var st state
	take := is("$inc", is("turn", int64(1)))
	after := options.FindOneAndUpdate().SetReturnDocument(options.After)
	if err := e.meta.FindOneAndUpdate(ctx, isState(), take, after).Decode(&st); err != nil {
		return fmt.Errorf("mongodb: take a turn: %w", err)
	}
	if err := st.known(); err != nil {
		return err
	}
	c, err := do(ctx, st)
	if err != nil || c == nil {
		return err
	}
	if err := e.save(ctx, c); err != nil {
		return err
	}
	return e.advance(ctx, c, nil, nil)
}
