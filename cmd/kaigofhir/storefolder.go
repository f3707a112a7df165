package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// folderFlags say which data folder a command works on.
type folderFlags struct {
	Data    string `required:"" type:"path" env:"KAIGOFHIR_DATA" help:"Data folder of a server that is not running."`
	KeyFile string `name:"key-file" type:"path" env:"KAIGOFHIR_KEY_FILE" help:"Master key of an encrypted data folder."`
}

// with opens the store of the folder, which must exist, and closes it after f.
func (d *folderFlags) with(a *app, readOnly bool, f func(*embedded.Engine) error) (err error) {
	if _, err := os.Stat(storeFolder(d.Data)); err != nil {
		return err
	}
	return d.withNew(a, readOnly, f)
}

// withNew is with, and makes the folder where it is missing.
func (d *folderFlags) withNew(a *app, readOnly bool, f func(*embedded.Engine) error) (err error) {
	master, err := masterKey(d.KeyFile)
	if err != nil {
		return err
	}
	e, err := embedded.Open(storeFolder(d.Data), embedded.Options{Now: a.now, ReadOnly: readOnly, Master: master})
	switch {
	case errors.Is(err, embedded.ErrInUse):
		return a.inUse(d.Data, "")
	case errors.Is(err, embedded.ErrOldFormat):
		return a.tell(err, fhir.Messagef(
			"the data folder %s is of an older format, and this command only reads: bring it up to date by starting the server on it (kaigofhir serve) or by kaigofhir store compact; the older program cannot read it afterwards, so copy the folder first",
			"データフォルダー %s は古い形式です。このコマンドは読み取り専用のため更新できません。サーバーの起動(kaigofhir serve)または kaigofhir store compact で新しい形式に更新してください。更新後は古いプログラムでは読めないため、先にフォルダーのコピーを取ってください", d.Data))
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return f(e)
}

// inUse tells that a server has the folder, and which of its operations does the
// same, "" for none.
func (a *app) inUse(data, operation string) error {
	m := fhir.Messagef("the data folder %s is in use: stop the server first", "データフォルダー %s は使用中です。先にサーバーを停止してください", data)
	if operation != "" {
		m = fhir.Messagef("the data folder %[1]s is in use: stop the server first, or let it do the work: an operator calls POST [base]/%[2]s (docs/running.md)",
			"データフォルダー %[1]s は使用中です。先にサーバーを停止するか、運用者が POST [base]/%[2]s でサーバーに実行させてください(docs/running.md)", data, operation)
	}
	return a.tell(embedded.ErrInUse, m)
}

// jobs opens the jobs of the folder.
func (d *folderFlags) jobs(a *app) (job.Storage, error) {
	master, err := masterKey(d.KeyFile)
	if err != nil {
		return nil, err
	}
	return jobStorage(a.ctx, d.Data, master)
}

// searchFlags say what a server's search parameters depend on.
type searchFlags struct {
	BaseURL string `name:"base-url" default:"http://127.0.0.1:8080/fhir" env:"KAIGOFHIR_BASE_URL" help:"Public base URL of the server: references that begin with it are its own."`
}

// registries returns the search parameters for queries and for index keys of a
// store; jobs, where not nil, tells how far custom ones are indexed.
func (s *searchFlags) registries(a *app, st store.Store, jobs job.Storage) (query, index *search.Registry, err error) {
	return server.Registries(a.ctx, server.Config{Store: st, Jobs: jobs, BaseURL: s.BaseURL, Now: a.now})
}

// printJSON prints one indented value.
func (a *app) printJSON(v any) error {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, string(out))
	return err
}
