package leaktest

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var (
	long = flag.Bool("long", false, "make 200,000 requests instead of a few thousand")
	seed = flag.Uint64("seed", 1, "seed of the first world; worlds count on from it")
)

var allDoors = slices.Concat(doors, operationDoors)

// TestLeak plays random worlds. A failure names the seed: -seed repeats it.
func TestLeak(t *testing.T) {
	want, worlds := 4_000, uint64(4)
	if *long {
		want, worlds = 220_000, 44
	}
	asked, tried := 0, map[string]int{}
	for n := range worlds {
		if t.Failed() {
			break
		}
		asked += playWorld(t, *seed+n, want/int(worlds)+1, tried)
	}
	t.Logf("%d requests in %d worlds; doors tried: %v", asked, worlds, tried)
	for _, d := range allDoors {
		if tried[d.name] == 0 && !t.Failed() {
			t.Errorf("the door %q was never tried", d.name)
		}
	}
	if asked < want && !t.Failed() {
		t.Errorf("%d requests, want %d", asked, want)
	}
}

func playWorld(t *testing.T, seed uint64, requests int, tried map[string]int) int {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	dice := rand.New(rand.NewPCG(seed, 42)) //nolint:gosec // a test
	offices, people, viewers := cast(4 + dice.IntN(4))
	w := &world{now: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), people: people, offices: offices, hasAuthor: map[[2]string]bool{}}
	p := &play{world: w, system: newSystem(t, w, viewers), dice: dice, viewers: viewers, doors: tried}
	p.found()
	for range 60 {
		p.happen()
	}
	for p.asked < requests && !t.Failed() {
		if dice.IntN(15) == 0 {
			p.happen()
		}
		d := pick(dice, allDoors)
		tried[d.name]++
		d.try(p, pick(dice, viewers))
	}
	return p.asked
}
