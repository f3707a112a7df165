package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// Step is one thing the demo does, for the people who watch.
type Step func(format string, args ...any)

// Register lets the operator enter the organisations, the insurer send its
// insured cards, and the insurer register the offices of the first person. It
// then knows the people, and the person's own client can be registered.
func (w *World) Register(ctx context.Context, step Step) error {
	if err := w.token(ctx, w.operator); err != nil {
		return err
	}
	for _, o := range w.Organizations {
		if _, err := w.client(w.operator).update(ctx, organizationResource(o)); err != nil {
			return err
		}
		if err := w.token(ctx, o); err != nil {
			return err
		}
	}
	step("%d organisations registered, each with a key and a token of its own", len(w.Organizations))
	if err := w.send(ctx, w.insurer(), step); err != nil {
		return err
	}
	for _, p := range samples.People() {
		id, err := w.findPatient(ctx, p)
		if err != nil {
			return err
		}
		w.Patients = append(w.Patients, id)
	}
	for _, o := range w.Organizations {
		if o.Role == "" {
			continue
		}
		r := sharing.Registration{Patient: w.Patients[0], Organization: o.ID, Role: o.Role, Active: true, Start: w.now(), Identified: sharing.ByMyNumberCard}
		if _, err := w.client(w.insurer()).create(ctx, plain(r.Resource())); err != nil {
			return fmt.Errorf("registering %s: %w", o.ID, err)
		}
		step("%s registers %s for the person as %s", w.insurer().Short, o.Short, o.Role)
	}
	return nil
}

// AddPerson makes the first person a caller with an app and a key of its own.
// The clients must be given to the server anew before its token is fetched.
func (w *World) AddPerson() error {
	o, err := newOrganization(w.Patients[0], kindPerson, samples.People()[0].Name)
	if err != nil {
		return err
	}
	o.Short = "the person"
	w.Organizations = append([]*Organization{o}, w.Organizations...)
	return nil
}

// Load fetches the person's token and lets every other organisation send its
// files.
func (w *World) Load(ctx context.Context, step Step) error {
	if err := w.token(ctx, w.Organizations[0]); err != nil {
		return err
	}
	for _, o := range w.Organizations {
		if o == w.insurer() || len(o.files) == 0 {
			continue
		}
		if err := w.send(ctx, o, step); err != nil {
			return err
		}
	}
	return nil
}

// Consent lets every organisation record the consent the person gave it when
// it checked the person's card.
func (w *World) Consent(ctx context.Context) error {
	for _, o := range w.offices() {
		terms := sharing.Terms{Patient: w.Patients[0], Taker: o.ID, Active: true, Permit: true,
			Recipients: []string{o.ID}, Identified: sharing.ByMyNumberCard, Start: w.now()}
		stored, err := w.client(o).create(ctx, plain(terms.Resource()))
		if err != nil {
			return fmt.Errorf("consent to %s: %w", o.ID, err)
		}
		w.consents = append(w.consents, stored)
	}
	return nil
}

// Withdraw lets the person withdraw every consent.
func (w *World) Withdraw(ctx context.Context) error {
	for _, c := range w.consents {
		c["status"] = "inactive"
		if _, err := w.client(w.Organizations[0]).update(ctx, c); err != nil {
			return fmt.Errorf("withdrawing a consent: %w", err)
		}
	}
	w.consents = nil
	return nil
}

// offices are the organisations a person consents to: all but the second city.
func (w *World) offices() []*Organization {
	var list []*Organization
	for _, o := range w.Organizations {
		if o.Kind != kindPerson && o.ID != otherCity {
			list = append(list, o)
		}
	}
	return list
}

func (w *World) insurer() *Organization { return w.organization("insurer") }

// send sends an organisation's files in one upload.
func (w *World) send(ctx context.Context, o *Organization, step Step) error {
	stored, err := w.client(o).intake(ctx, o.files)
	if err != nil {
		return fmt.Errorf("files of %s: %w", o.ID, err)
	}
	entries, _ := stored["entry"].([]any)
	for _, f := range o.files {
		step("%s sends %s", o.Short, f.name)
	}
	step("  %d resources stored in one transaction", len(entries))
	return nil
}

func (w *World) findPatient(ctx context.Context, p samples.Person) (string, error) {
	found, err := w.client(w.insurer()).search(ctx, "Patient", url.Values{"identifier": {care.InsuredNumber + "|" + p.Identifier()}})
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the insurer finds %d people under one insured number", len(found))
	}
	id, _ := found[0]["id"].(string)
	if id == "" {
		return "", errors.New("a Patient has no id")
	}
	return id, nil
}

func organizationResource(o *Organization) resource {
	r := fhir.NewResource("Organization").Set("id", o.ID).Set("active", "true").Set("name", o.Name)
	r.Add("identifier").Set("system", o.system).Set("value", o.number)
	r.Add("type").Add("coding").Set("system", care.OrganizationKindSystem).Set("code", o.Kind)
	return plain(r)
}

// plain turns a resource into what a client sends.
func plain(e *fhir.Element) resource {
	var r resource
	if err := json.Unmarshal(fhirjson.Append(nil, e), &r); err != nil {
		panic(err) // our own encoder writes JSON
	}
	return r
}

// PrintCurl writes lines to paste into a terminal.
func (w *World) PrintCurl(out io.Writer) {
	fmt.Fprintf(out, "\nTry it yourself (tokens live 15 minutes; the page is %s/):\n", strings.TrimSuffix(w.base, "/fhir"))
	for _, o := range w.Organizations {
		fmt.Fprintf(out, "\n# %s (%s)\ncurl -s -H 'Authorization: Bearer %s' '%s/CarePlan?patient=%s'\n", o.Name, o.Kind, o.AccessToken, w.base, w.Patients[0])
	}
}

// Send lets one organisation send its files, again if it has done so before.
func (w *World) Send(ctx context.Context, id string) error {
	if _, err := w.Token(ctx, id); err != nil {
		return err
	}
	return w.send(ctx, w.organization(id), func(string, ...any) {})
}

// Token returns an access token of an organisation or the operator, a fresh one
// where it has none yet.
func (w *World) Token(ctx context.Context, id string) (string, error) {
	o := w.operator
	if id != operatorID {
		o = w.organization(id)
	}
	if o.AccessToken == "" {
		if err := w.token(ctx, o); err != nil {
			return "", err
		}
	}
	return o.AccessToken, nil
}
