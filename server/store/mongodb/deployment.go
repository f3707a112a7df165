package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// ErrNoTransactions is why a deployment is refused.
var ErrNoTransactions = errors.New("mongodb: this deployment cannot do transactions: run it as a replica set (one member is enough: mongod --replSet rs0, then rs.initiate()) of MongoDB 5.0 or later, or accept transactions of one resource only (SingleWrites), which is for trials")

// snapshotWire is the wire version of MongoDB 5.0, the first with snapshot
// reads outside of transactions.
const snapshotWire = 13

// commandNotFound is the server's error code.
const commandNotFound = 59

// hello is the part of a server's description that is needed here.
// https://www.mongodb.com/docs/manual/reference/command/hello/
type hello struct {
	SetName        string `bson:"setName"`
	Message        string `bson:"msg"` // "isdbgrid" for mongos
	SessionMinutes *int   `bson:"logicalSessionTimeoutMinutes"`
	MaxWireVersion int    `bson:"maxWireVersion"`
}

func (h hello) transactions() bool {
	return (h.SetName != "" || h.Message == "isdbgrid") && h.SessionMinutes != nil && h.MaxWireVersion >= snapshotWire
}

// detect finds out what the deployment can do.
func (e *Engine) detect(ctx context.Context) error {
	var h hello
	admin := e.client.Database("admin")
	err := admin.RunCommand(ctx, is("hello", 1)).Decode(&h)
	var unknown mongo.CommandError
	if errors.As(err, &unknown) && unknown.Code == commandNotFound {
		err = admin.RunCommand(ctx, is("isMaster", 1)).Decode(&h) // its old name
	}
	if err != nil {
		return fmt.Errorf("mongodb: %w", err)
	}
	e.transactions = h.transactions()
	if e.transactions {
		return nil
	}
	return e.without(nil)
}

// try makes a transaction and a snapshot read that change nothing: a deployment
// may claim more than it can do, and this is the time to say so.
func (e *Engine) try(ctx context.Context) error {
	if !e.transactions {
		return nil
	}
	err := e.write(ctx, func(context.Context, state) (*change, error) { return nil, nil })
	if err == nil {
		err = e.reading(ctx, 0, func(*view) error { return nil })
	}
	var said mongo.CommandError
	if errors.As(err, &said) && len(said.Labels) == 0 {
		e.transactions = false
		return e.without(said) // whole: the trial writes nothing of anybody
	}
	return err
}

// without goes on without transactions where that is accepted; cause is what
// the deployment said, or nil.
func (e *Engine) without(cause error) error {
	if !e.opts.SingleWrites {
		if cause != nil {
			return fmt.Errorf("%w: it answers a trial with: %w", ErrNoTransactions, cause)
		}
		return ErrNoTransactions
	}
	e.opts.Logger.Warn("the MongoDB deployment has no transactions: each transaction may write one resource only")
	return nil
}

// Transactions reports whether a transaction may write more than one resource.
func (e *Engine) Transactions() bool { return e.transactions || e.opts.limits.unsafeTransactions }
