package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// crashesPerFolder is how often one data folder is killed. Everything in it is
// looked at after each kill, so that it must not grow without end.
const crashesPerFolder = 20

// TestKillDuringLoad kills the server while files and transactions come in,
// starts it again, and looks: everything acknowledged is there, nothing is
// half there, and fsck finds nothing.
func TestKillDuringLoad(t *testing.T) {
	rounds, long := crashRounds(t, 3)
	var acknowledged int64
	var slowest time.Duration
	for first := 0; first < rounds; first += crashesPerFolder {
		t.Run(fmt.Sprintf("from round %d", first), func(t *testing.T) {
			n, d := killServer(t, min(crashesPerFolder, rounds-first))
			acknowledged, slowest = acknowledged+n, max(slowest, d)
		})
	}
	t.Logf("%d kills, %d acknowledged transactions and uploads looked for, slowest start %v", rounds, acknowledged, slowest)
	if long && slowest > 10*time.Second {
		t.Errorf("starting after a crash took %v", slowest)
	}
}

// killServer kills servers on one data folder. It returns how many requests
// were acknowledged and how long the slowest start took.
func killServer(t *testing.T, rounds int) (acknowledged int64, slowest time.Duration) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	f := startFlow(t)
	data := filepath.Join(t.TempDir(), "data")
	f.process.kill()
	f.serve(t, data)
	f.load(t)
	l := &loader{flow: f}
	for l.round = range rounds {
		l.run(t, time.Duration(50+random.IntN(400))*time.Millisecond)
		f.process.kill()
		l.wait()
		if stdout, stderr, status := run(t, "store", "fsck", "--data", data); status != 0 {
			t.Fatalf("round %d: fsck: status %d\n%s\n%s", l.round, status, stdout, stderr)
		}
		began := time.Now()
		f.serve(t, data)
		slowest = max(slowest, time.Since(began))
		if problems := l.check(t); len(problems) > 0 {
			t.Errorf("round %d: %q", l.round, problems)
		}
		if l.acknowledged.Load() == 0 {
			t.Errorf("round %d: nothing was acknowledged before the kill: the test shows nothing", l.round)
		}
		acknowledged += l.acknowledged.Swap(0)
	}
	l.control(t)
	if err := f.process.stop(); err != nil {
		t.Errorf("the server did not end cleanly: %v\n%s", err, f.process.stderr)
	}
	return acknowledged, slowest
}

// control shows that check finds what was lost and what is half there.
func (l *loader) control(t *testing.T) {
	t.Helper()
	l.patients.Store("never sent", true)
	l.opinions.Add(2)
	half := fmt.Sprintf(`{"resourceType":"Patient","meta":{"tag":[{"system":%q,"code":"half"}]}}`, tagSystem)
	if status, body, err := l.flow.as(t.Context(), "operator", http.MethodPost, "Patient", half); err != nil || status != http.StatusCreated {
		t.Fatalf("status %d, %v\n%s", status, err, body)
	}
	problems := strings.Join(l.check(t), "\n")
	for _, want := range []string{"never sent was acknowledged", "half is half there", "acknowledged uploads"} {
		if !strings.Contains(problems, want) {
			t.Errorf("the check did not find %q: %s", want, problems)
		}
	}
}

// crashRounds is how many rounds the tests of crashes make, and whether it is
// the long run.
func crashRounds(t *testing.T, normal int) (rounds int, long bool) {
	text := os.Getenv("KAIGOFHIR_TEST_CRASH_ROUNDS")
	if text == "" {
		return normal, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n, true
}

// loader writes to the server from several connections until it dies.
type loader struct {
	flow         *flow
	round        int
	acknowledged atomic.Int64 // in this round
	patients     sync.Map     // tags of acknowledged transactions, of all rounds
	opinions     atomic.Int64 // acknowledged uploads in this round
	before       int64        // version of the opinions when the round began
	wg           sync.WaitGroup
}

const tagSystem = "urn:kaigofhir:crash-test"

// run begins to write and returns some time after the first acknowledgement.
func (l *loader) run(t *testing.T, d time.Duration) {
	t.Helper()
	l.before = l.opinionVersion(t)
	l.opinions.Store(0)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	for worker := range 4 {
		l.wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := l.transaction(ctx, fmt.Sprintf("%d-%d-%d", l.round, worker, i)); err != nil {
					return // the server is gone
				}
			}
		})
	}
	l.wg.Go(func() {
		for ctx.Err() == nil {
			if err := l.flow.world.Send(ctx, "hospital"); err != nil {
				return
			}
			l.opinions.Add(1)
			l.acknowledged.Add(1)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); l.acknowledged.Load() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(d)
}

func (l *loader) wait() { l.wg.Wait() }

// transaction stores a Patient and an Observation about it, or neither.
func (l *loader) transaction(ctx context.Context, tag string) error {
	body := fmt.Sprintf(`{"resourceType":"Bundle","type":"transaction","entry":[
		{"fullUrl":"urn:uuid:6a7c1a2e-0000-4000-8000-000000000001","resource":{"resourceType":"Patient","meta":{"tag":[{"system":%q,"code":%q}]}},"request":{"method":"POST","url":"Patient"}},
		{"resource":{"resourceType":"Observation","meta":{"tag":[{"system":%q,"code":%q}]},"status":"final","code":{"text":"crash test"},"subject":{"reference":"urn:uuid:6a7c1a2e-0000-4000-8000-000000000001"}},"request":{"method":"POST","url":"Observation"}}]}`,
		tagSystem, tag, tagSystem, tag)
	status, _, err := l.flow.as(ctx, "operator", http.MethodPost, "", body)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("status %d: %w", status, err)
	}
	l.patients.Store(tag, true)
	l.acknowledged.Add(1)
	return nil
}

// check looks for everything that was acknowledged in any round, and for
// halves, and returns what is wrong.
func (l *loader) check(t *testing.T) (problems []string) {
	t.Helper()
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	tags := map[string][2]int{}
	for i, resourceType := range []string{"Patient", "Observation"} {
		for _, r := range l.all(t, resourceType+"?_tag="+url.QueryEscape(tagSystem+"|")+"&_count=1000") {
			tag := r["meta"].(map[string]any)["tag"].([]any)[0].(map[string]any)["code"].(string)
			n := tags[tag]
			n[i]++
			tags[tag] = n
		}
	}
	l.patients.Range(func(tag, _ any) bool {
		if tags[tag.(string)] != [2]int{1, 1} {
			problem("transaction %s was acknowledged; found %v of Patient and Observation", tag, tags[tag.(string)])
		}
		return true
	})
	for tag, n := range tags {
		if n != [2]int{1, 1} {
			problem("transaction %s is half there: %v", tag, n)
		}
	}
	if v := l.opinionVersion(t); v < l.before+l.opinions.Load() || v > l.before+l.opinions.Load()+1 {
		problem("opinions are at version %d after %d acknowledged uploads on version %d", v, l.opinions.Load(), l.before)
	}
	return problems
}

// opinionVersion is the version that every resource of the hospital's file has:
// each upload makes one new version of all of them.
func (l *loader) opinionVersion(t *testing.T) int64 {
	t.Helper()
	versions := map[string]int{}
	for _, resourceType := range []string{"DocumentReference", "Bundle"} {
		found := l.all(t, resourceType+"?_security="+url.QueryEscape(care.FormSystem+"|"+care.PhysicianOpinion))
		if len(found) < 2 {
			t.Fatalf("found %d %s of opinions", len(found), resourceType)
		}
		for _, r := range found {
			versions[r["meta"].(map[string]any)["versionId"].(string)]++
		}
	}
	if len(versions) != 1 {
		t.Errorf("an upload is half there: versions of the opinions' resources %v", versions)
	}
	var v int64
	for text := range versions {
		_, _ = fmt.Sscan(text, &v)
	}
	return v
}

// all returns every match of a search, following the pages.
func (l *loader) all(t *testing.T, path string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for path != "" {
		status, body, err := l.flow.as(t.Context(), "operator", http.MethodGet, path, "")
		if err != nil || status != http.StatusOK {
			t.Fatalf("%s: status %d, %v\n%s", path, status, err, body)
		}
		var bundle struct {
			Link  []struct{ Relation, URL string }
			Entry []struct{ Resource map[string]any }
		}
		if err := json.Unmarshal(body, &bundle); err != nil {
			t.Fatal(err)
		}
		for _, e := range bundle.Entry {
			found = append(found, e.Resource)
		}
		path = ""
		for _, link := range bundle.Link {
			if link.Relation == "next" {
				path = strings.TrimPrefix(link.URL, l.flow.process.ready.URL+"/")
			}
		}
	}
	return found
}

// as makes one request with the token of an organisation.
func (f *flow) as(ctx context.Context, organization, method, path, body string) (status int, answer []byte, err error) {
	address := strings.TrimSuffix(f.process.ready.URL+"/"+path, "/")
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	token, err := f.world.Token(ctx, organization)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/fhir+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}
