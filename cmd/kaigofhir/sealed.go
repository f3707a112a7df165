package main

import (
	"context"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

// storeFolder is where the embedded store lies in a data folder.
func storeFolder(data string) string { return filepath.Join(data, "store") }

// masterKey reads the key of --key-file; without one it is nil.
func masterKey(path string) (sealedfs.MasterKey, error) {
	if path == "" {
		return nil, nil
	}
	return sealedfs.ReadKeyFile(path)
}

// jobStorage keeps jobs in the data folder, encrypted as the store is: their
// results are made of its records.
func jobStorage(ctx context.Context, data string, master sealedfs.MasterKey) (job.Storage, error) {
	folder := job.Folder(filepath.Join(data, "jobs"))
	if master == nil {
		return folder, nil
	}
	keys, err := sealedfs.OpenKeys(ctx, vfs.Default, storeFolder(data), master)
	return sealedJobs{folder, keys}, err
}

// sealedJobs encrypts what it keeps.
type sealedJobs struct {
	job.Storage
	keys *sealedfs.Keys
}

// Put implements job.Storage.
func (s sealedJobs) Put(name string, data []byte) error {
	sealed, err := s.keys.Seal(name, data)
	if err != nil {
		return err
	}
	return s.Storage.Put(name, sealed)
}

// Get implements job.Storage.
func (s sealedJobs) Get(name string) ([]byte, error) {
	sealed, err := s.Storage.Get(name)
	if err != nil {
		return nil, err
	}
	return s.keys.Unseal(name, sealed)
}
