package mongodb

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// TestClientOptions checks what prevails: the connection string about times and
// connections, the engine about what reads see and when a write is safe.
func TestClientOptions(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name        string
		opts        Options
		timeout     time.Duration
		find        time.Duration
		connections uint64 // 0: the driver's
	}{
		{"defaults", Options{URI: "mongodb://h"}, 30 * time.Second, 10 * time.Second, 0},
		{"settings", Options{URI: "mongodb://h", Timeout: time.Minute, MaxConnections: 20}, time.Minute, 10 * time.Second, 20},
		{"connection string", Options{URI: "mongodb://h/?timeoutMS=7000&serverSelectionTimeoutMS=3000&maxPoolSize=5", Timeout: time.Minute, MaxConnections: 20},
			7000 * ms, 3000 * ms, 5},
		{"what is fixed", Options{URI: "mongodb://h/?w=1&journal=false&readPreference=secondary&readConcernLevel=local&retryWrites=false&retryReads=false"},
			30 * time.Second, 10 * time.Second, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := c.opts.withDefaults().client()
			if err != nil || o.Validate() != nil {
				t.Fatal(err, o.Validate())
			}
			if *o.Timeout != c.timeout || *o.ServerSelectionTimeout != c.find {
				t.Errorf("timeouts %v and %v", *o.Timeout, *o.ServerSelectionTimeout)
			}
			if n := o.MaxPoolSize; (n == nil) != (c.connections == 0) || n != nil && *n != c.connections {
				t.Errorf("connections %v", n)
			}
			if o.ReadPreference.Mode() != readpref.PrimaryMode || o.ReadConcern.Level != "majority" || !*o.RetryReads || !*o.RetryWrites {
				t.Errorf("reads %v at %v, retries %v and %v", o.ReadPreference, o.ReadConcern, *o.RetryReads, *o.RetryWrites)
			}
			if w := o.WriteConcern; w.W != "majority" || !*w.Journal {
				t.Errorf("writes %+v", w)
			}
		})
	}
	if _, err := (Options{URI: "mongodb://h/?timeoutMS=0"}).withDefaults().client(); err == nil {
		t.Error("no time limit was taken")
	}
}
