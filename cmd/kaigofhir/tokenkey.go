package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/kaigofhir/kaigofhir/server/auth"
)

// tokenKeyFile is where the keys that sign access tokens lie in a data folder.
func tokenKeyFile(data string) string { return filepath.Join(data, "token.key") }

type rotateTokenKeyCommand struct {
	Data    string `required:"" type:"path" env:"KAIGOFHIR_DATA" help:"Data folder; its server may run, and takes the key up within a second or two."`
	DropOld bool   `name:"drop-old" help:"Refuse tokens signed so far at once, as after a theft of the key. Clients ask for new ones."`
}

// Run makes a key and prints its id. Without --drop-old, tokens signed with the
// keys before it are accepted until they expire.
func (c *rotateTokenKeyCommand) Run(a *app) error {
	file := tokenKeyFile(c.Data)
	if _, err := os.Stat(file); err != nil {
		return err // a folder no server ever used: it makes its first key itself
	}
	kid, err := auth.RotateKey(auth.KeyFile(file), a.now(), c.DropOld)
	if err != nil {
		return err
	}
	return a.printJSON(map[string]string{"kid": kid})
}

// watchTokenKey takes up the keys whenever their file has changed, until ctx
// ends. A file that cannot be read leaves them as they are, and says so.
func (h *host) watchTokenKey(ctx context.Context) {
	tick := time.NewTicker(clientsPoll)
	defer tick.Stop()
	seen := time.Time{} // the first look loads them once more, for it may have changed since the start
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		info, err := os.Stat(h.tokenKey)
		if err != nil || info.ModTime().Equal(seen) {
			continue
		}
		if err := h.server.ReloadKeys(); err != nil {
			h.log.Error("the keys of access tokens were not taken", "error", err)
			continue
		}
		if !seen.IsZero() {
			h.log.Info("keys of access tokens loaded anew")
		}
		seen = info.ModTime()
	}
}
