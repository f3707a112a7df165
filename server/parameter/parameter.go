// Package parameter lets the SearchParameter resources in the store take
// effect: one that is active is indexed by a background job over what is
// stored already, and can be used once the job is done; one that is changed,
// retired or deleted can no longer be used at once, and loses its keys. The
// same job gives new keys to what an older program has stored (see
// search.KeysVersion); until it is done, contained resources and places cannot be
// searched.
// https://hl7.org/fhir/R4/searchparameter.html
package parameter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Kind is the kind of the jobs that index.
const Kind = "reindex"

// Type is the resource type this package is about.
const Type = "SearchParameter"

// Config wires a Keeper. Log may be nil.
type Config struct {
	Store store.Store
	// Rekeyer is the store again; nil where its engine cannot index what is
	// stored, so that custom parameters are kept but never used, and contained
	// resources are found only in a store that this program has begun.
	Rekeyer store.Rekeyer
	// Build makes a registry of R4's parameters and these.
	Build func(custom ...*fhir.Element) (*search.Registry, error)
	// Use puts registries to use: force for queries, without contained
	// resources as long as what is stored has no keys of them, index for the keys of
	// what is written from now on. It returns when no write under the former
	// index registry is under way any more.
	Use func(force, index *search.Registry)
	// Every is how often the store is asked for parameters that other servers
	// wrote; 0 where there are none.
	Every time.Duration
	// Storage keeps which parameters are indexed.
	Storage job.Storage
	Log     *slog.Logger
}

// Keeper keeps the parameters in force what the store says. It is safe for
// concurrent use.
type Keeper struct {
	cfg  Config
	jobs *job.Manager
	run  sync.Mutex // held by the one job that runs
	aims sync.Mutex // held by aim
	// known is wanted again, for writers: they must not wait for mu, whose
	// holder may wait for them in Config.Use.
	known atomic.Pointer[set]

	mu     sync.Mutex
	force  set // indexed: queries may use them
	wanted set // what the store asks for: writes are indexed by them
	// complete tells that all that is stored has keys of search.KeysVersion,
	// noted that this is kept in Storage.
	complete, noted bool
	seq             uint64
	origin          string

	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

// set is a list of parameters, sorted by url.
type set []*fhir.Element

// indexFields are the elements of a SearchParameter that keys depend on.
var indexFields = []string{"url", "code", "type", "base", "expression", "target", "component", "comparator", "modifier"}

// signature stands for what a parameter means.
func signature(e *fhir.Element) string {
	bare := fhir.NewResource(Type)
	for _, c := range e.Children {
		if slices.Contains(indexFields, c.Name) {
			bare.Children = append(bare.Children, c)
		}
	}
	return string(fhirjson.Append(nil, bare))
}

func (s set) signature() string {
	var b strings.Builder
	for _, e := range s {
		b.WriteString(signature(e))
		b.WriteByte('\n')
	}
	return b.String()
}

// common returns those of s that o has in the same meaning.
func (s set) common(o set) set {
	var out set
	for _, e := range s {
		if slices.ContainsFunc(o, func(x *fhir.Element) bool { return signature(x) == signature(e) }) {
			out = append(out, e)
		}
	}
	return out
}

func (s set) urls() []string {
	urls := make([]string, len(s))
	for i, e := range s {
		urls[i] = e.Text("url")
	}
	return urls
}

// New reads which parameters are indexed and which are asked for, and puts
// both to use. Start must follow.
func New(ctx context.Context, cfg Config) (*Keeper, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{cfg: cfg, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if err := k.load(ctx); err != nil {
		return nil, err
	}
	if cfg.Rekeyer == nil {
		k.force = nil
		return k, k.use()
	}
	wanted, err := k.asked(ctx)
	if err != nil {
		return nil, err
	}
	k.force, k.wanted = k.force.common(wanted), wanted
	return k, k.use()
}

// use builds the registries and puts them to use; k.mu is held.
func (k *Keeper) use() error {
	force, err := k.cfg.Build(k.force...)
	if err != nil {
		return fmt.Errorf("parameters in force: %w", err)
	}
	wanted := slices.Clone(k.wanted)
	k.known.Store(&wanted)
	index := force
	if k.force.signature() != k.wanted.signature() {
		if index, err = k.cfg.Build(k.wanted...); err != nil {
			return fmt.Errorf("parameters asked for: %w", err)
		}
	}
	if !k.complete {
		force = force.OfOlderKeys()
	}
	k.cfg.Use(force, index)
	return nil
}

// Start begins to follow the store, with the manager that has Kind.
func (k *Keeper) Start(jobs *job.Manager) {
	ctx, stop := context.WithCancel(context.Background())
	k.jobs, k.stop = jobs, stop
	go k.follow(ctx)
	k.Changed()
}

// Changed tells that a SearchParameter was written.
func (k *Keeper) Changed() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Close ends following. Jobs are the manager's.
func (k *Keeper) Close() {
	if k.stop != nil {
		k.stop()
		<-k.done
	}
}

func (k *Keeper) follow(ctx context.Context) {
	defer close(k.done)
	var tick <-chan time.Time
	if k.cfg.Every > 0 {
		ticker := time.NewTicker(k.cfg.Every)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-tick:
		}
		if err := k.aim(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Log.Error("search parameters", slog.Any("error", err))
		}
	}
}

// aim makes what the store asks for the goal, and starts the job that gets
// there.
func (k *Keeper) aim(ctx context.Context) error {
	k.aims.Lock()
	defer k.aims.Unlock()
	var wanted set
	if k.cfg.Rekeyer != nil {
		var err error
		if wanted, err = k.asked(ctx); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	goal := wanted.signature()
	if k.cfg.Rekeyer == nil || k.complete && goal == k.force.signature() && goal == k.wanted.signature() {
		return k.note()
	}
	under := false
	for _, j := range k.jobs.List(Kind) {
		switch {
		case j.State.Ended():
		case k.knows(j) && goalOf(j).signature() == goal:
			under = true
		default:
			if err := k.jobs.Cancel(j.ID, ""); err != nil && !errors.Is(err, job.ErrUnknown) {
				return err
			}
		}
	}
	if under && goal == k.wanted.signature() {
		return nil
	}
	// What is changed or gone is out of force before its keys change.
	k.force, k.wanted = k.force.common(wanted), wanted
	if err := errors.Join(k.save(), k.use()); err != nil {
		return err
	}
	_, err := k.jobs.Add(Kind, "", payload{wanted.encoded(), k.origin, search.KeysVersion})
	return err
}

// asked returns the parameters the store asks for: the active ones that can be
// used. Others are left out; the writer was told why.
func (k *Keeper) asked(ctx context.Context) (set, error) {
	q := search.Query{Types: []string{Type}, Must: search.Must{Unrestricted: true}, Count: 500}
	var all set
	for {
		page, err := k.cfg.Store.Search(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("search parameters: %w", err)
		}
		for _, v := range page.Versions {
			e, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
			if err != nil {
				return nil, fmt.Errorf("search parameters: %w", err)
			}
			if Active(e) {
				all = append(all, e)
			}
		}
		if page.Next == "" {
			break
		}
		q.After, q.AsOf = page.Next, page.AsOf
	}
	slices.SortFunc(all, func(a, b *fhir.Element) int {
		return strings.Compare(a.Text("url")+"\x00"+a.ID(), b.Text("url")+"\x00"+b.ID())
	})
	var usable set
	for _, e := range all {
		if _, err := k.cfg.Build(append(slices.Clone(usable), e)...); err == nil {
			usable = append(usable, e)
		}
	}
	return usable, nil
}

// Active reports whether a SearchParameter is to take effect. Those of R4
// itself have effect without being stored.
func Active(e *fhir.Element) bool {
	_, base := r4.SearchParameterByURL(e.Text("url"))
	return e.ResourceType() == Type && e.Text("status") == "active" && !base
}

// state is what is kept about the parameters in force.
type state struct {
	Parameters []json.RawMessage `json:"parameters"`
	// Seq is how far the store was, Origin where its content is from. A store
	// that is behind, or of another origin, is restored from a backup: its
	// index is not known.
	Seq    uint64 `json:"seq"`
	Origin string `json:"origin"`
	// KeysVersion is that of all keys, 0 where they are not all of one.
	KeysVersion int `json:"keysVersion,omitempty"`
}

const stateName = "parameters.state"

func (k *Keeper) save() error {
	s := state{Parameters: k.force.encoded(), Seq: k.seq, Origin: k.origin}
	if k.complete {
		s.KeysVersion = search.KeysVersion
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("search parameters: %w", err)
	}
	err = k.cfg.Storage.Put(stateName, data)
	k.noted = k.complete && err == nil
	return err
}

// note keeps that all keys are complete, once; k.mu is held.
func (k *Keeper) note() error {
	if k.noted || !k.complete {
		return nil
	}
	return k.save()
}

func (k *Keeper) load(ctx context.Context) error {
	status, err := k.cfg.Store.Status(ctx)
	if err != nil {
		return fmt.Errorf("search parameters: %w", err)
	}
	k.origin, k.complete = status.Origin, status.Seq == 0
	data, err := k.cfg.Storage.Get(stateName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("search parameters: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("search parameters: the state is damaged: %w", err)
	}
	if status.Seq < s.Seq || status.Origin != s.Origin {
		return nil
	}
	k.seq = s.Seq
	k.noted = s.KeysVersion == search.KeysVersion
	k.complete = k.complete || k.noted
	k.force, err = decoded(s.Parameters)
	return err
}

func (s set) encoded() []json.RawMessage {
	out := make([]json.RawMessage, len(s))
	for i, e := range s {
		out[i] = fhirjson.Append(nil, e)
	}
	return out
}

func decoded(list []json.RawMessage) (set, error) {
	var s set
	for _, data := range list {
		e, err := fhirjson.Decode(data, fhirjson.Options{})
		if err != nil {
			return nil, fmt.Errorf("search parameters: %w", err)
		}
		s = append(s, e)
	}
	return s, nil
}

// Progress tells which custom parameters are in force and which are being
// indexed.
type Progress struct {
	Force, Pending []string // canonical URLs
	Job            job.Job  // the newest job; no ID where there was none
}

// Progress returns how far indexing is for what the store asks for now.
func (k *Keeper) Progress(ctx context.Context) (Progress, error) {
	if k.cfg.Rekeyer == nil {
		return Progress{}, nil
	}
	if err := k.aim(ctx); err != nil {
		return Progress{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := Progress{Force: k.force.urls()}
	for _, url := range k.wanted.urls() {
		if !slices.Contains(p.Force, url) {
			p.Pending = append(p.Pending, url)
		}
	}
	if list := k.jobs.List(Kind); len(list) > 0 {
		p.Job = list[len(list)-1]
	}
	return p, nil
}

// Check returns warnings about an active SearchParameter that would not take
// effect.
func (k *Keeper) Check(e *fhir.Element) fhir.Issues {
	if k.cfg.Rekeyer == nil {
		return fhir.Issues{{Severity: fhir.Warning, Code: fhir.NotSupported, ID: "search-parameter-engine", Message: fhir.Messagef(
			"the storage engine of this server does not index custom search parameters: this one is stored but has no effect",
			"このサーバーのストレージは独自の検索パラメータに対応していません。保存されますが、検索には使用できません")}}
	}
	others := slices.Clone(*k.known.Load())
	others = slices.DeleteFunc(others, func(o *fhir.Element) bool { return o.Text("url") == e.Text("url") || o.ID() != "" && o.ID() == e.ID() })
	_, err := k.cfg.Build(append(others, e)...)
	var issues fhir.Issues
	if !errors.As(err, &issues) {
		return nil
	}
	for i := range issues {
		issues[i].Severity = fhir.Warning
	}
	return issues
}
