package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/kaigofhir/kaigofhir/server/auth"
)

// clientsFile keeps the registered clients as a file has them.
type clientsFile struct {
	path    string
	clients *auth.Clients
	log     *slog.Logger
	seen    time.Time // modification time of what is loaded
}

// clientsPoll is how often the file is looked at.
const clientsPoll = time.Second

// load reads the file; on an error the clients stay as they are.
func (f *clientsFile) load() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	f.seen = info.ModTime()
	list, err := auth.ParseClients(data, os.DirFS(filepath.Dir(f.path)))
	if err != nil {
		return err
	}
	return f.clients.Replace(list...)
}

// watch loads the file again whenever it has changed, until ctx ends. A file
// that cannot be read leaves the clients as they are, and says so.
func (f *clientsFile) watch(ctx context.Context) {
	tick := time.NewTicker(clientsPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		info, err := os.Stat(f.path)
		if err != nil || info.ModTime().Equal(f.seen) {
			continue
		}
		if err := f.load(); err != nil {
			f.log.Error("the clients file was not taken", "error", err)
			continue
		}
		f.log.Info("clients loaded anew")
	}
}
