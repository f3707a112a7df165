package mongodb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Engine is a store.Store on MongoDB. Several processes may use one database.
type Engine struct {
	opts    Options
	client  *mongo.Client
	records *mongo.Collection
	meta    *mongo.Collection
	zip     *zstd.Encoder
	unzip   *zstd.Decoder

	transactions bool
	uuid         string        // of the collection, part of the origin
	turn         chan struct{} // holds one token: writers of this process queue for it
	waiting      queue         // transactions of this process
	seen         atomic.Uint64 // the highest sequence number anyone here was told of
	causal       causal

	stop    context.CancelFunc // ends the sweeper
	sweeper sync.WaitGroup
}

var _ store.Store = (*Engine)(nil)

// Open connects to a deployment and makes the store where there is none. It
// returns ErrNoTransactions where those are missing and not waived.
func Open(ctx context.Context, opts Options) (*Engine, error) {
	opts = opts.withDefaults()
	settings, err := opts.client()
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	db := client.Database(opts.Database)
	e := &Engine{
		opts: opts, client: client, records: db.Collection("versions"), meta: db.Collection("store"),
		turn: make(chan struct{}, 1),
	}
	e.turn <- struct{}{}
	if e.zip, e.unzip, err = newCodec(); err != nil {
		return nil, err
	}
	if err = e.detect(ctx); err == nil {
		err = e.prepare(ctx)
	}
	if err == nil {
		err = e.try(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, client.Disconnect(context.WithoutCancel(ctx)))
	}
	e.startSweeper()
	return e, nil
}

// Status tells size and health of the store.
func (e *Engine) Status(ctx context.Context) (store.Status, error) {
	var status store.Status
	err := e.reading(ctx, 0, func(v *view) error {
		status = store.Status{
			Engine: "mongodb", Format: v.state.Format, Seq: v.seq, Origin: v.state.Origin + e.uuid,
			Resources: v.state.Resources, Versions: v.state.Versions, SingleWrites: !e.Transactions(),
		}
		return nil
	})
	return status, err
}

// Close ends the connections. Writes under way fail.
func (e *Engine) Close() error {
	e.stop()
	e.sweeper.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), e.opts.Timeout)
	defer cancel()
	e.unzip.Close()
	return errors.Join(e.zip.Close(), e.client.Disconnect(ctx))
}

// noteSeq remembers a sequence number that a caller is about to learn.
func (e *Engine) noteSeq(seq uint64) {
	for {
		old := e.seen.Load()
		if old >= seq || e.seen.CompareAndSwap(old, seq) {
			return
		}
	}
}
