// Package interaction is the door to people's data: every read and write of
// the server goes through it. Each interaction asks the policy, acts, checks
// again what it is about to hand out, and records the access. It knows FHIR's
// interactions but no HTTP: package api puts them on the wire.
// https://hl7.org/fhir/R4/http.html
package interaction

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Policy is what the door asks before it acts; *policy.Policy is one.
type Policy interface {
	Visibility(ctx context.Context, c policy.Caller) (search.Must, error)
	Label(ctx context.Context, c policy.Caller, resource *fhir.Element, previous *search.Labels) (search.Labels, error)
	MayWrite(ctx context.Context, c policy.Caller, a policy.Action, resource *fhir.Element, l search.Labels) error
}

// Validator checks the content of a resource that is about to be written. It
// returns every issue found, warnings included.
type Validator interface {
	Validate(ctx context.Context, resource *fhir.Element) fhir.Issues
}

// Config wires a Service. Store, Policy, Registry, Now, NewID and Key are
// required.
type Config struct {
	Store    store.Store
	Policy   Policy
	Recorder Recorder // nil: accesses are not recorded (tests only)
	Registry *search.Registry
	// Validator checks resources on write; nil: none.
	Validator Validator
	// Definitions are part of the server; nil: none are.
	Definitions Definitions
	// Now is the clock, NewID makes the ids of new resources.
	Now   func() time.Time
	NewID func() string
	// Key, 32 random bytes, protects paging links. Links die with it.
	Key     []byte
	Options Options
}

// Options are the choices R4 leaves to a server. Zero numbers stand for the
// defaults.
type Options struct {
	// ClientIDs allows update-as-create to unrestricted callers. A restricted
	// caller never may: a refusal would tell that a hidden resource exists.
	ClientIDs bool
	// CheckReferences refuses references to local resources that do not
	// exist, or that the caller cannot see, and the deletion of a resource
	// that others refer to.
	CheckReferences bool
	// DeleteMultiple allows a conditional delete to delete several resources.
	DeleteMultiple bool
	DefaultCount   int           // page size where the client asks for none; 50
	MaxCount       int           // largest page; 1000
	MaxIncludes    int           // most included resources on a page; 1000
	MaxEntries     int           // most entries in a batch or transaction; 10000
	LinkLife       time.Duration // how long a paging link works; 1 hour
}

func (o *Options) setDefaults() {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&o.DefaultCount, 50)
	def(&o.MaxCount, 1000)
	def(&o.MaxIncludes, 1000)
	def(&o.MaxEntries, 10000)
	if o.LinkLife <= 0 {
		o.LinkLife = time.Hour
	}
}

// Service performs interactions. It is safe for concurrent use.
type Service struct {
	cfg      Config
	registry atomic.Pointer[search.Registry]
	// indexing has besides them the parameters that are being indexed. writes
	// is held for reading from the keys of a write to its end.
	indexing atomic.Pointer[search.Registry]
	writes   sync.RWMutex
	links    *linkSealer
	started  time.Time
	// perform runs an operation named in a batch entry; set by Operations.
	operations OperationRunner
}

// New returns a Service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Policy == nil || cfg.Registry == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("interaction: incomplete Config")
	}
	if cfg.Recorder == nil {
		cfg.Recorder = discard{}
	}
	cfg.Options.setDefaults()
	links, err := newLinkSealer(cfg.Key)
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, links: links, started: cfg.Now()}
	s.SetRegistries(cfg.Registry, cfg.Registry)
	return s, nil
}

// Options returns the choices in force.
func (s *Service) Options() Options { return s.cfg.Options }

// OperationRunner runs the $operation that an entry of a batch names.
type OperationRunner func(ctx context.Context, c Call, r OperationRequest) (*Reply, error)

// SetOperations gives the service the operations that batch entries may
// name. It must be called before the service is used.
func (s *Service) SetOperations(run OperationRunner) { s.operations = run }

// OperationRequest names an operation and what it is called on.
// https://hl7.org/fhir/R4/operations.html
type OperationRequest struct {
	Type, ID, Version string // "" for the levels above
	Name              string // with the dollar sign: "$everything"
	Query             string // raw query string
	// Body is the resource sent, mostly Parameters; nil for a GET.
	Body *fhir.Element
	Post bool
	// Entry says that it stands in a Bundle.
	Entry bool
}

// Call tells who calls and how; it goes with every interaction.
type Call struct {
	Caller policy.Caller
	// Base is the absolute service base URL without a trailing slash; links
	// and full URLs start with it, and absolute references below it are local.
	Base      string
	RequestID string
	// Strict refuses unknown search parameters (Prefer: handling=strict).
	Strict bool
	// Return is what batch and transaction entries give back for writes.
	Return Return
	// Language of messages inside Bundles.
	Language fhir.Language
	// Registration lets conditional creates and updates of Patient match
	// hidden patients too, which then stay as they are: registering a person
	// needs no consent (R26). Only package intake sets it; nothing but the id
	// of a hidden match is handed out.
	Registration bool
	// Insurer is the caller's insurer number, "" for one that is no insurer.
	// With Registration, a conditional update of a Patient also changes one
	// the caller does not see yet, if it is insured under this number: who a
	// person is, the insurer knows, whoever registered the person first.
	Insurer string
}

// Return is the preference for what a write gives back.
// https://hl7.org/fhir/R4/http.html#ops
type Return string

// The preferences; the zero value is the server's default.
const (
	ReturnMinimal        Return = "minimal"
	ReturnRepresentation Return = "representation"
	ReturnOutcome        Return = "OperationOutcome"
)
