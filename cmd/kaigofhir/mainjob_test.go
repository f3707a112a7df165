package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/cmd/kaigofhir/internal/demo"
)

// matrixByHand is what each organisation can pull of each form about the first
// person of the samples, written out from the national sharing matrix and not
// computed from our copy of it. "sheet" is the feedback sheet made for the
// person; "–" is nothing.
//
// The care manager office, day-care and home-help are registered for the person;
// the hospital wrote the opinion; clinic and other-city stand in no relation to
// the person. Everybody but other-city gets a consent.
const matrixByHand = `
before consent
                   person   insurer  care-manager  day-care  home-help  hospital  clinic   other-city
physician-opinion  –        records  –             –         –          records   –        –
home-care-plan     records  –        records       records   records    –         –        –
life-feedback      sheet    –        –             records   –          –         –        –
insured-card       records  records  records       records   records    –         –        –

after consent
                   person   insurer  care-manager  day-care  home-help  hospital  clinic   other-city
physician-opinion  –        records  records       –         –          records   records  –
home-care-plan     records  records  records       records   records    records   records  –
life-feedback      sheet    sheet    records       records   records    records   records  –
insured-card       records  records  records       records   records    records   records  –

after withdrawal
                   person   insurer  care-manager  day-care  home-help  hospital  clinic   other-city
physician-opinion  –        records  –             –         –          records   –        –
home-care-plan     records  –        records       records   records    –         –        –
life-feedback      sheet    –        –             records   –          –         –        –
insured-card       records  records  records       records   records    –         –        –
`

// wantTables reads matrixByHand: cells by "stage/form/organisation".
func wantTables(t *testing.T) map[string]string {
	t.Helper()
	want := map[string]string{}
	var stage string
	var columns []string
	for _, line := range strings.Split(matrixByHand, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			columns = nil
		case columns == nil && stageOf(line) != "":
			stage = stageOf(line)
		case columns == nil:
			columns = words
		default:
			for i, cell := range words[1:] {
				want[stage+"/"+words[0]+"/"+columns[i]] = strings.Replace(cell, "–", "none", 1)
			}
		}
	}
	if len(want) != 3*4*8 {
		t.Fatalf("the table by hand has %d cells", len(want))
	}
	return want
}

func stageOf(line string) string {
	for _, s := range []demo.Stage{demo.BeforeConsent, demo.AfterConsent, demo.AfterWithdrawal} {
		if strings.TrimSpace(line) == string(s) {
			return string(s)
		}
	}
	return ""
}

// flow is the main job against a server that runs as a process of its own.
type flow struct {
	world   *demo.World
	clients string   // path of the registration file
	flags   []string // of serve, besides those of every test
	process *process
}

// startFlow starts `kaigofhir serve` with the demo's organisations as clients.
func startFlow(t *testing.T) *flow {
	t.Helper()
	world, err := demo.NewWorld(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	f := &flow{world: world, clients: filepath.Join(t.TempDir(), "clients.json")}
	f.writeClients(t)
	f.serve(t, filepath.Join(t.TempDir(), "data"))
	return f
}

// serve starts the server on a data folder.
func (f *flow) serve(t *testing.T, data string) {
	t.Helper()
	f.process = start(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--clients", f.clients, "--ready-json"}, f.flags...)...)
	url := f.process.ready.URL
	f.world.Connect(url, tokenURL(url))
}

func tokenURL(base string) string { return strings.TrimSuffix(base, "/fhir") + "/auth/token" }

func (f *flow) writeClients(t *testing.T) {
	t.Helper()
	list, err := f.world.Clients()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Clients []map[string]any `json:"clients"`
	}
	for _, c := range list {
		keys, err := json.Marshal(c.Keys)
		if err != nil {
			t.Fatal(err)
		}
		file.Clients = append(file.Clients, map[string]any{"id": c.ID, "name": c.Name, "kind": c.Kind,
			"organization": c.Organization, "patient": c.Patient, "jwks": json.RawMessage(keys)})
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.clients, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// load sends every file. The person's client is registered on the way, so the
// first attempts with it may come before the server has read the file again.
func (f *flow) load(t *testing.T) {
	t.Helper()
	if err := f.world.Register(t.Context(), t.Logf); err != nil {
		t.Fatal(err)
	}
	if err := f.world.AddPerson(); err != nil {
		t.Fatal(err)
	}
	f.writeClients(t)
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := f.world.Load(t.Context(), t.Logf)
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "token") || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// tables makes the table at each stage: cells by "stage/form/organisation".
func (f *flow) tables(t *testing.T) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, s := range []struct {
		stage  demo.Stage
		before func(context.Context) error
	}{
		{demo.BeforeConsent, nil}, {demo.AfterConsent, f.world.Consent}, {demo.AfterWithdrawal, f.world.Withdraw},
	} {
		if s.before != nil {
			if err := s.before(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		table, err := f.world.Table(t.Context(), s.stage)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range table.Cells {
			organization := c.Organization
			if organization == f.world.Patients[0] {
				organization = "person"
			}
			got[string(s.stage)+"/"+c.Form+"/"+organization] = c.Sees()
		}
	}
	return got
}

// TestMainJob is the product's main job, end to end: files in, FHIR out, each
// organisation sees exactly its part, at each stage of the consent.
func TestMainJob(t *testing.T) {
	f := startFlow(t)
	f.load(t)
	if diff := cmp.Diff(wantTables(t), f.tables(t)); diff != "" {
		t.Errorf("what organisations see differs from the matrix (-matrix +server):\n%s", diff)
	}
	if err := f.process.stop(); err != nil {
		t.Errorf("the server did not end cleanly: %v\n%s", err, f.process.stderr)
	}
}

// TestDemoOnce runs the demo as a newcomer does.
func TestDemoOnce(t *testing.T) {
	stdout, stderr, status := run(t, "demo", "--once", "--addr", "127.0.0.1:0")
	if status != 0 {
		t.Fatalf("status %d\n%s\n%s", status, stdout, stderr)
	}
	for _, want := range []string{"BEFORE CONSENT", "AFTER CONSENT", "AFTER WITHDRAWAL", "主治医意見書", "被保険者証"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the output lacks %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "!") {
		t.Errorf("a cell is marked wrong:\n%s", stdout)
	}
}

// TestDemoReadyJSON checks what scripts rely on.
func TestDemoReadyJSON(t *testing.T) {
	p := start(t, "demo", "--ready-json", "--addr", "127.0.0.1:0")
	kinds := map[string]bool{}
	for _, o := range p.ready.Organizations {
		kinds[o.Kind] = true
		if o.ID == "" || o.Name == "" || o.AccessToken == "" || o.Scopes == "" {
			t.Errorf("organisation %q lacks something: %+v", o.ID, o)
		}
	}
	for _, kind := range []string{"user", "municipality", "care_office", "care_manager_office", "medical_institution"} {
		if !kinds[kind] {
			t.Errorf("no organisation of kind %s", kind)
		}
	}
	if p.ready.PID != p.cmd.Process.Pid || !strings.HasSuffix(p.ready.URL, "/fhir") || len(p.ready.Patients) != 3 {
		t.Errorf("got %+v", p.ready)
	}
}
