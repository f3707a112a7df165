package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/server/store/copy"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
)

// storePlace says where a store is and how it is used.
type storePlace struct {
	// uri is a connection string of MongoDB, or "" for the embedded engine.
	uri          string
	singleWrites bool // of MongoDB: take a deployment without transactions
	timeout      time.Duration
	connections  uint64
	folder       string
	master       sealedfs.MasterKey // of the folder; nil: it is in the clear
	cacheMiB     int64
	readOnly     bool
	mustExist    bool
	now          func() time.Time
	log          *slog.Logger
}

// isMongoDB tells a connection string from a folder.
func isMongoDB(s string) bool {
	return strings.HasPrefix(s, "mongodb://") || strings.HasPrefix(s, "mongodb+srv://")
}

// placeOf reads a connection string or the data folder of a server.
func placeOf(s string) storePlace {
	if isMongoDB(s) {
		return storePlace{uri: s}
	}
	return storePlace{folder: storeFolder(s)}
}

// open opens the store; without uri and folder it is in memory.
func (p storePlace) open(ctx context.Context) (copy.Target, error) {
	if p.uri != "" {
		return mongodb.Open(ctx, mongodb.Options{
			URI: p.uri, SingleWrites: p.singleWrites, Timeout: p.timeout, MaxConnections: p.connections, Now: p.now, Logger: p.log,
		})
	}
	options := embedded.Options{CacheBytes: p.cacheMiB << 20, Now: p.now, Logger: p.log, ReadOnly: p.readOnly, Master: p.master}
	if p.folder == "" {
		return embedded.OpenMemory(options)
	}
	if _, err := os.Stat(p.folder); errors.Is(err, fs.ErrNotExist) && p.mustExist {
		return nil, err
	}
	if !p.readOnly {
		if err := os.MkdirAll(filepath.Dir(p.folder), 0o700); err != nil {
			return nil, err
		}
	}
	return embedded.Open(p.folder, options)
}
