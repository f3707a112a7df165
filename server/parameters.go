package server

import (
	"context"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/operation"
	"github.com/kaigofhir/kaigofhir/server/parameter"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// custom holds the keeper of custom search parameters, which comes into being
// after what refers to it.
type custom struct{ keeper *parameter.Keeper }

// watchedStore tells the keeper of every write of a SearchParameter.
type watchedStore struct {
	store.Store
	custom *custom
}

// Apply applies the transaction.
func (s watchedStore) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	r, err := s.Store.Apply(ctx, tx)
	for i := range r.Versions {
		if r.Versions[i].Type == parameter.Type && s.custom.keeper != nil {
			s.custom.keeper.Changed()
			break
		}
	}
	return r, err
}

// checkedParameters is the Validator that also warns of a SearchParameter that
// cannot take effect.
type checkedParameters struct {
	interaction.Validator
	custom *custom
}

// Validate checks a resource that is about to be written.
func (v checkedParameters) Validate(ctx context.Context, resource *fhir.Element) fhir.Issues {
	issues := v.Validator.Validate(ctx, resource)
	if !issues.HasErrors() && parameter.Active(resource) && v.custom.keeper != nil {
		issues = append(issues, v.custom.keeper.Check(resource)...)
	}
	return issues
}

// startParameters puts the custom search parameters to use.
func (s *Server) startParameters(cfg *Config, known *knowledge, rekeyer store.Rekeyer) error {
	var err error
	s.custom.keeper, err = parameter.New(context.Background(), parameter.Config{
		Store: s.store, Rekeyer: rekeyer, Every: cfg.SharedEvery, Storage: cfg.Jobs, Log: cfg.Log, Use: s.Service.SetRegistries,
		Build: func(list ...*fhir.Element) (*search.Registry, error) { return cfg.registry(known, list...) },
	})
	return err
}

// reindexOperation is $reindex on SearchParameter: which custom parameters are
// in force, which are being indexed and how far that is.
func reindexOperation(c *custom) operation.Operation {
	return operation.Operation{
		Name: "reindex", Definition: care.Canonical + "/OperationDefinition/reindex", Type: true, Types: []string{parameter.Type},
		Run: func(ctx context.Context, call interaction.Call, _ operation.Input) (*interaction.Reply, error) {
			if err := operation.OperatorOnly(call.Caller); err != nil {
				return nil, err
			}
			p, err := c.keeper.Progress(ctx)
			if err != nil {
				return nil, err
			}
			out := fhir.NewResource("Parameters")
			add := func(name, element, value string) {
				out.Add("parameter").Set("name", name).Set(element, value)
			}
			for _, url := range p.Force {
				add("in-force", "valueUri", url)
			}
			for _, url := range p.Pending {
				add("pending", "valueUri", url)
			}
			if p.Job.ID != "" {
				add("state", "valueCode", string(p.Job.State))
				add("done", "valueDecimal", strconv.FormatInt(p.Job.Done, 10))
				add("total", "valueDecimal", strconv.FormatInt(p.Job.Total, 10))
			}
			return &interaction.Reply{Resource: out}, nil
		},
	}
}
