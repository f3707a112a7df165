package mongodb

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Options of Open. Only URI is required.
type Options struct {
	// URI is the connection string. What it says (maxPoolSize, timeoutMS,
	// tls, …) prevails over the defaults here.
	// https://www.mongodb.com/docs/manual/reference/connection-string/
	URI string
	// Database is the database's name; "" takes the one of the URI, or
	// "kaigofhir".
	Database string
	// Timeout bounds each operation, retries included; 0 means 30 seconds.
	Timeout time.Duration
	// MaxConnections to each member of the deployment; 0 means the driver's
	// 100. Each operation under way needs one.
	MaxConnections uint64
	// KeepSnapshots is how long a snapshot of a page answers after newer
	// writes; 0 means 30 minutes.
	KeepSnapshots time.Duration
	// PollEvery is how often Follow looks for news where the deployment has no
	// change streams; 0 means a second.
	PollEvery time.Duration
	// SingleWrites accepts a deployment without transactions and limits
	// transactions to one resource. For trials, not for people's records.
	SingleWrites bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger takes the engine's few messages; nil discards them.
	Logger *slog.Logger
	// Terms tells how criteria become keys; nil is store.FHIRTerms.
	Terms store.Terms

	limits limits
}

// limits are where the engine changes its ways; tests make them tiny.
type limits struct {
	// set is the most bytes that the members of a set (patients, targets of a
	// chain) may take in a query; larger ones are looked up in memory here. A
	// query must stay below 16 MiB.
	set int
	// batch is how many candidates or changes are fetched at once.
	batch int32
	// lock is how long a writer may hold the lock of single.go.
	lock time.Duration
	// unsafeTransactions lets the lock of single.go guard transactions of many
	// resources: only the tests do that.
	unsafeTransactions bool
}

var defaultLimits = limits{set: 4 << 20, batch: 1000, lock: 30 * time.Second}

func (o Options) withDefaults() Options {
	if o.Database == "" {
		o.Database = databaseOf(o.URI)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.KeepSnapshots == 0 {
		o.KeepSnapshots = 30 * time.Minute
	}
	if o.PollEvery == 0 {
		o.PollEvery = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Terms == nil {
		o.Terms = store.FHIRTerms{}
	}
	if o.limits.set == 0 {
		o.limits = defaultLimits
	}
	return o
}

// databaseOf is the database a connection string names.
func databaseOf(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	_, path, _ := strings.Cut(rest, "/")
	if name, _, _ := strings.Cut(path, "?"); name != "" {
		return name
	}
	return "kaigofhir"
}

// client returns the driver's options: reads go to the primary and see what a
// majority has, writes are acknowledged when a majority has them on disk.
func (o Options) client() (*options.ClientOptions, error) {
	c := options.Client().ApplyURI(o.URI).SetAppName("kaigofhir")
	if c.Timeout == nil {
		c.SetTimeout(o.Timeout)
	}
	if *c.Timeout <= 0 {
		// The driver would repeat no transaction then.
		return nil, errors.New("mongodb: timeoutMS=0 is no time for an operation: leave it out, or name one")
	}
	if c.ServerSelectionTimeout == nil {
		c.SetServerSelectionTimeout(10 * time.Second)
	}
	if c.MaxPoolSize == nil && o.MaxConnections > 0 {
		c.SetMaxPoolSize(o.MaxConnections)
	}
	return c.SetReadPreference(readpref.Primary()).SetReadConcern(readconcern.Majority()).
		SetWriteConcern(onDisk()).SetRetryWrites(true).SetRetryReads(true), nil
}

// onDisk is when a write is acknowledged.
func onDisk() *writeconcern.WriteConcern {
	journal := true
	concern := writeconcern.Majority()
	concern.Journal = &journal
	return concern
}
