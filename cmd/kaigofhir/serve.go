package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/observe"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/backup"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

type serveCommand struct {
	Addr      string          `default:"127.0.0.1:8080" env:"KAIGOFHIR_ADDR" help:"Address to listen on; port 0 takes a free one."`
	Data      string          `required:"" type:"path" env:"KAIGOFHIR_DATA" help:"Data folder; made where it does not exist."`
	Store     string          `placeholder:"mongodb://…" env:"KAIGOFHIR_STORE" help:"Keep records in MongoDB instead of the data folder, which then holds keys only."`
	Single    bool            `name:"single-writes" env:"KAIGOFHIR_SINGLE_WRITES" help:"Accept a MongoDB without transactions; only with --open."`
	Timeout   time.Duration   `name:"store-timeout" default:"30s" env:"KAIGOFHIR_STORE_TIMEOUT" help:"Time for one operation on MongoDB, retries included; timeoutMS in the connection string prevails."`
	Pool      uint64          `name:"store-connections" default:"100" env:"KAIGOFHIR_STORE_CONNECTIONS" help:"Most connections to each MongoDB server; maxPoolSize in the connection string prevails."`
	Number    int             `name:"server-number" default:"0" env:"KAIGOFHIR_SERVER_NUMBER" help:"Number of this server among several on one MongoDB, each another from 0 on, the same at every start: its part of the record of accesses."`
	KeyFile   string          `name:"key-file" type:"path" env:"KAIGOFHIR_KEY_FILE" help:"File with the master key (openssl rand -hex 32): the data folder is encrypted. Such a folder opens with its key only."`
	BackupDir string          `name:"backup-dir" type:"existingdir" env:"KAIGOFHIR_BACKUP_DIR" help:"Folder, outside of the data folder, into which operators let the server write backups ($backup); without it there are none."`
	BaseURL   string          `name:"base-url" env:"KAIGOFHIR_BASE_URL" help:"Public base URL, such as https://fhir.example.jp/fhir. Without it, http://ADDR/fhir."`
	Clients   string          `type:"path" env:"KAIGOFHIR_CLIENTS" help:"Registration file of the clients (YAML or JSON); read again when it changes."`
	Open      bool            `help:"Development mode for FHIR tools: no token, no restriction, loopback addresses only."`
	Cache     int64           `default:"128" env:"KAIGOFHIR_CACHE" help:"Memory for blocks read from disk, in MiB."`
	Memory    int64           `default:"512" env:"KAIGOFHIR_MEMORY" help:"Memory for everything else, in MiB; near it, memory is freed more eagerly. GOMEMLIMIT and GOGC go before it."`
	MaxBody   int64           `name:"max-body" default:"64" env:"KAIGOFHIR_MAX_BODY" help:"Largest request body, in MiB."`
	Rate      float64         `env:"KAIGOFHIR_RATE" help:"Requests a second that one client may make; 0 for no limit."`
	Burst     int             `default:"100" env:"KAIGOFHIR_BURST" help:"Requests one client may make at once, where a rate is set."`
	Origins   []string        `env:"KAIGOFHIR_ORIGINS" help:"Origins that may call from a browser; * for every one."`
	LogLevel  slog.Level      `name:"log-level" default:"info" env:"KAIGOFHIR_LOG_LEVEL" help:"Least level of log lines: debug, info, warn, error."`
	LogFormat string          `name:"log-format" enum:"text,json" default:"text" env:"KAIGOFHIR_LOG_FORMAT" help:"Form of log lines: text or json."`
	AccessLog bool            `name:"access-log" env:"KAIGOFHIR_ACCESS_LOG" help:"Log a line for each request, without personal data."`
	Metrics   string          `name:"metrics-addr" placeholder:"ADDR" env:"KAIGOFHIR_METRICS_ADDR" help:"Address for Prometheus, such as 127.0.0.1:9090; without it there are no metrics."`
	TraceURL  string          `name:"trace-url" placeholder:"URL" env:"KAIGOFHIR_TRACE_URL" help:"OpenTelemetry collector (OTLP over HTTP) that gets traces, such as http://127.0.0.1:4318/v1/traces; without it there are none."`
	TraceRate float64         `name:"trace-rate" default:"1" env:"KAIGOFHIR_TRACE_RATE" help:"Share of the requests that are traced, from 0 to 1."`
	Switches  []string        `name:"switch" placeholder:"NAME[=false]" env:"KAIGOFHIR_SWITCHES" help:"Switch of the sharing matrix; kaigofhir matrix lists them."`
	AuditWait bool            `name:"audit-wait" env:"KAIGOFHIR_AUDIT_WAIT" help:"Answer a read only when its record is on disk. Without it a crash can lose the records of the last 20 ms."`
	ReadyJSON bool            `name:"ready-json" help:"Print one JSON object with url and pid once the server answers."`
	Print     bool            `name:"print-config" help:"Print the settings in force and where each came from, without secrets, and end."`
	Config    kong.ConfigFlag `help:"Configuration file (YAML); its keys are the names of these flags."`
}

// ready is what --ready-json prints.
type ready struct {
	URL     string `json:"url"` // base URL of the FHIR service
	PID     int    `json:"pid"`
	Metrics string `json:"metrics,omitempty"` // URL of the metrics
}

// Run serves until the process is told to stop, then finishes the requests
// that are under way.
func (c *serveCommand) Run(a *app, parsed *kong.Context) error {
	if c.Print {
		return a.printConfig(parsed, a.stdout)
	}
	matrix, err := matrixWith(c.Switches)
	if err != nil {
		return err
	}
	if err := errors.Join(c.checkStore(), c.checkBackups()); err != nil {
		return err
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	boundMemory(c.Cache + c.Memory)
	log := c.newLogger(a.stderr)
	clients, err := auth.NewClients()
	if err != nil {
		return err
	}
	if c.Clients != "" {
		file := &clientsFile{path: c.Clients, clients: clients, log: log}
		if err := file.load(); err != nil {
			return err
		}
		go file.watch(a.ctx)
	}
	up := ready{PID: os.Getpid()}
	metrics := observe.NewMetrics()
	if c.Metrics != "" {
		scrapes, err := serveMetrics(c.Metrics, metrics, log)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer scrapes.Close() //nolint:errcheck // nothing is lost
		up.Metrics = scrapes.url
	}
	tracer, stopTracer, err := c.tracer(log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopTracer()
	host, err := newHost(a, listener, hostConfig{
		data: c.Data, backups: c.BackupDir, keyFile: c.KeyFile, store: c.Store, single: c.Single, timeout: c.Timeout, connections: c.Pool, baseURL: c.BaseURL, clients: clients, log: log, cacheMiB: c.Cache,
		configure: func(cfg *server.Config) {
			c.configure(cfg)
			cfg.Matrix = matrix
			cfg.Tracer = tracer
			if c.Metrics != "" {
				cfg.Metrics = metrics
			}
			if c.AccessLog {
				cfg.Observers = append(cfg.Observers, observe.AccessLog{Log: log})
			}
		},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if c.Open {
		fmt.Fprint(a.stderr, openBanner)
	}
	return host.serve(a.ctx, func() error {
		log.Info("kaigofhir answers", "url", host.url, "data", c.Data)
		up.URL = host.url
		if c.ReadyJSON {
			return a.firstLine(up)
		}
		return nil
	})
}

const openBanner = `
*******************************************************************
*  OPEN MODE: NO TOKEN, NO ACCESS CONTROL. ANYBODY ON THIS MACHINE *
*  CAN READ AND CHANGE EVERYTHING. NEVER USE IT WITH REAL RECORDS. *
*  開発用モードです。認証も閲覧制限もありません。                  *
*******************************************************************

`

// configure sets what the flags say about the server.
func (c *serveCommand) configure(cfg *server.Config) {
	cfg.MaxBody = c.MaxBody << 20
	cfg.Rate, cfg.Burst = c.Rate, c.Burst
	cfg.Origins = c.Origins
	cfg.AuditWait = c.AuditWait
	cfg.Number = c.Number
	if c.Open {
		server.OpenMode(cfg)
	}
}

// maxServers is the highest number of a server.
const maxServers = 999

// checkStore refuses what cannot work. Outside of the open mode every write is
// one transaction with the record of who made it.
func (c *serveCommand) checkStore() error {
	switch {
	case c.Store != "" && !isMongoDB(c.Store):
		return errors.New("--store takes a connection string of MongoDB, such as mongodb://host/kaigofhir?replicaSet=rs0")
	case c.Store != "" && c.KeyFile != "":
		return errors.New("--key-file encrypts a data folder; MongoDB has an encryption at rest of its own")
	case c.Number < 0 || c.Number > maxServers || c.Number > 0 && c.Store == "":
		return fmt.Errorf("--server-number is for servers on one MongoDB, from 0 to %d", maxServers)
	case c.Timeout <= 0 || c.Pool == 0:
		return errors.New("--store-timeout and --store-connections must be more than 0")
	case c.Single && !c.Open:
		return errors.New("--single-writes works with --open only: a write and its record of access need one transaction")
	}
	return nil
}

// checkBackups refuses a folder for backups that cannot work.
func (c *serveCommand) checkBackups() error {
	switch {
	case c.BackupDir == "":
		return nil
	case c.Store != "":
		return errors.New("--backup-dir is for the data folder; MongoDB has backups of its own")
	}
	if path, err := filepath.Rel(resolved(c.Data), resolved(c.BackupDir)); err == nil && filepath.IsLocal(path) {
		return errors.New("--backup-dir lies in the data folder: a backup belongs elsewhere, best on another disk")
	}
	return nil
}

// resolved follows the symbolic links of a path, as far as it exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// listen opens the address; the open mode refuses any but a loopback one.
func (c *serveCommand) listen() (net.Listener, error) {
	if c.Open {
		if err := requireLoopback(c.Addr); err != nil {
			return nil, err
		}
	}
	return net.Listen("tcp", c.Addr)
}

func requireLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("--open listens on loopback addresses only, not on %q", host)
}

// hostConfig is what serve and demo say about the server they start.
type hostConfig struct {
	data    string // folder; "" keeps everything in memory
	backups string // folder; "" for none
	store   string // of MongoDB; "" keeps records in the folder
	single  bool   // accept a MongoDB without transactions
	// timeout of an operation on MongoDB and most connections to each of its
	// servers; 0 means the defaults.
	timeout     time.Duration
	connections uint64
	keyFile     string // master key of the folder; "" leaves it in the clear
	baseURL     string // "" makes it from the listener
	clients     *auth.Clients
	log         *slog.Logger
	cacheMiB    int64
	home        http.Handler
	configure   func(*server.Config)
}

// host is a server with its store and its listener.
type host struct {
	url, tokenURL string
	listener      net.Listener
	server        *server.Server
	engine        store.Store
	backups       *backup.Folder // nil for none
	tokenKey      string         // file; "" for none
	used          *auth.UsedFile // nil for none
	log           *slog.Logger
}

// newHost opens the store and puts the server together.
func newHost(a *app, listener net.Listener, c hostConfig) (*host, error) {
	h := &host{listener: listener, url: c.baseURL, log: c.log}
	if h.url == "" {
		h.url = "http://" + listener.Addr().String() + api.BasePath
	}
	place := storePlace{uri: c.store, singleWrites: c.single, timeout: c.timeout, connections: c.connections, cacheMiB: c.cacheMiB, now: a.now, log: c.log}
	var keys auth.KeyStore = &auth.MemoryKey{}
	var pagingKey []byte
	var err error
	if c.data == "" {
		if pagingKey, err = newPagingKey(); err != nil {
			return nil, err
		}
	} else {
		if err = os.MkdirAll(c.data, 0o700); err != nil {
			return nil, err
		}
		h.tokenKey = tokenKeyFile(c.data)
		keys = auth.KeyFile(h.tokenKey)
		if pagingKey, err = loadPagingKey(filepath.Join(c.data, "paging.key")); err != nil {
			return nil, err
		}
		place.folder = storeFolder(c.data)
		if place.master, err = masterKey(c.keyFile); err != nil {
			return nil, err
		}
	}
	if h.engine, err = place.open(a.ctx); err != nil {
		return nil, err
	}
	cfg := server.Config{Store: h.engine, Now: a.now, NewID: uuid.NewString, Key: pagingKey, Log: c.log,
		BaseURL: h.url, Version: version(), Clients: c.clients, Keys: keys, Home: c.home}
	if c.store != "" {
		cfg.SharedEvery = sharedEvery
	}
	cfg.Options.ClientIDs = true // for the operator: organisations have ids of their own
	cfg.Options.CheckReferences = true
	if c.data != "" {
		if cfg.Jobs, err = jobStorage(a.ctx, c.data, place.master); err != nil {
			return nil, errors.Join(err, h.engine.Close())
		}
		if h.used, err = auth.OpenUsedFile(filepath.Join(c.data, "assertions.used"), a.now()); err != nil {
			return nil, errors.Join(err, h.engine.Close())
		}
		cfg.Used = h.used
	}
	if c.backups != "" {
		if err := h.openBackups(c.backups, place.master, &cfg); err != nil {
			return nil, errors.Join(err, h.engine.Close())
		}
	}
	if c.configure != nil {
		c.configure(&cfg)
	}
	if h.server, err = server.New(cfg); err != nil {
		return nil, errors.Join(err, h.engine.Close())
	}
	h.tokenURL = strings.TrimSuffix(h.url, api.BasePath) + server.TokenPath
	return h, nil
}

// openBackups lets the server write backups into a folder, encrypted as its
// store is.
func (h *host) openBackups(dir string, master sealedfs.MasterKey, cfg *server.Config) (err error) {
	source, ok := h.engine.(backup.Source)
	if !ok {
		return errors.New("backups: the store cannot be backed up by the server")
	}
	if h.backups, err = backup.Open(dir, master); err != nil {
		return err
	}
	cfg.Backups = &upkeep.Backups{Folder: h.backups, Source: source}
	return nil
}

// sharedEvery is how often a server on a store that others may use too looks for
// what they changed.
const sharedEvery = 5 * time.Second

// Time limits of the HTTP server.
const (
	headerTimeout   = 10 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 20 * time.Second
)
