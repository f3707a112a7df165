package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"os"
)

// serve answers until ctx ends, then finishes the requests under way and
// closes the store. answering is called once requests are answered.
func (h *host) serve(ctx context.Context, answering func() error) error {
	srv := &http.Server{Handler: h.server, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	if h.tokenKey != "" {
		go h.watchTokenKey(ctx)
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(h.listener) }()
	err := answering()
	if err == nil {
		select {
		case err = <-failed:
		case <-ctx.Done():
		}
	}
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(err, srv.Shutdown(finish), h.server.Close(), h.engine.Close(), h.closeFiles())
}

func (h *host) closeFiles() (err error) {
	if h.backups != nil {
		err = h.backups.Close()
	}
	if h.used != nil {
		err = errors.Join(err, h.used.Close())
	}
	return err
}

// pagingKeyBytes is the length of the key that protects paging links.
const pagingKeyBytes = 32

func newPagingKey() ([]byte, error) {
	key := make([]byte, pagingKeyBytes)
	_, err := rand.Read(key)
	return key, err
}

// loadPagingKey reads the key of the data folder, or makes one there, so that
// paging links outlive a restart.
func loadPagingKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = newPagingKey(); err == nil {
			err = os.WriteFile(path, key, 0o600)
		}
	}
	if err == nil && len(key) != pagingKeyBytes {
		err = errors.New("the paging key in the data folder is damaged; remove paging.key to make a new one")
	}
	return key, err
}
