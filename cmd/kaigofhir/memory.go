package main

import (
	"os"
	"runtime/debug"
)

// heapGrowth, in percent, is how far the heap grows beyond what is in use
// before it is collected. Go's own 100 costs a busy server a fifth of its
// processor time, as little is in use between requests.
const heapGrowth = 400

// boundMemory trades memory for processor time up to a limit in MiB, near which
// memory is freed more and more eagerly. What the operator has set in Go's own
// variables stays. https://go.dev/doc/gc-guide
func boundMemory(limitMiB int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limitMiB << 20)
	}
}
