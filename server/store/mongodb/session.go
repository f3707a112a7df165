package mongodb

import (
	"context"
	"fmt"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// causal is the point in the deployment's time that this process has seen. A
// session that is moved to it reads what the process wrote or read before,
// whichever server answers: a deposed primary cannot serve it.
// https://www.mongodb.com/docs/manual/core/causal-consistency-read-write-concerns/
type causal struct {
	mu        sync.Mutex
	operation *bson.Timestamp
	cluster   bson.Raw
}

func (c *causal) advance(s *mongo.Session) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operation == nil || c.cluster == nil {
		return nil
	}
	if err := s.AdvanceClusterTime(c.cluster); err != nil {
		return err
	}
	return s.AdvanceOperationTime(c.operation)
}

func (c *causal) learn(s *mongo.Session) {
	at, cluster := s.OperationTime(), s.ClusterTime()
	if at == nil || cluster == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operation == nil || at.After(*c.operation) {
		c.operation, c.cluster = at, cluster
	}
}

// inSession calls f with a causally consistent session in its context.
func (e *Engine) inSession(ctx context.Context, f func(context.Context, *mongo.Session) error) error {
	s, err := e.client.StartSession(options.Session().SetCausalConsistency(true))
	if err != nil {
		return fmt.Errorf("mongodb: %w", err)
	}
	defer s.EndSession(context.WithoutCancel(ctx))
	if err := e.causal.advance(s); err != nil {
		return fmt.Errorf("mongodb: %w", err)
	}
	defer e.causal.learn(s)
	return f(mongo.NewSessionContext(ctx, s), s)
}

// inSnapshot returns a context whose reads all see the same moment. Later reads
// of this process are not behind it.
func (e *Engine) inSnapshot(ctx context.Context) (context.Context, func(), error) {
	s, err := e.client.StartSession(options.Session().SetSnapshot(true))
	if err != nil {
		return nil, nil, fmt.Errorf("mongodb: %w", err)
	}
	return mongo.NewSessionContext(ctx, s), func() {
		e.causal.learn(s)
		s.EndSession(context.WithoutCancel(ctx))
	}, nil
}
