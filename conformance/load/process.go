package load

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process used: CPU seconds over a measurement and the
// resident memory at its end.
type Usage struct {
	CPUSeconds float64 `json:"cpuSeconds"`
	ResidentMB float64 `json:"residentMB"`
}

// ticks is the clock rate of /proc/PID/stat on Linux, always 100.
const ticks = 100

// usage reads a process of this machine; nil where there is none or no /proc.
func usage(pid int) *Usage {
	if pid == 0 {
		return nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The command name, in parentheses, may hold blanks; fields count after it.
	_, rest, found := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 22 {
		return nil
	}
	number := func(i int) float64 { n, _ := strconv.ParseFloat(fields[i], 64); return n }
	return &Usage{
		CPUSeconds: (number(11) + number(12)) / ticks, // utime, stime
		ResidentMB: number(21) * float64(os.Getpagesize()) / (1 << 20),
	}
}

// The bounds of settle: a process is at rest when it uses less than idleCPU
// seconds in restPeriod.
const (
	restPeriod  = 500 * time.Millisecond
	idleCPU     = 0.03
	longestRest = 5 * time.Minute
)

// settle waits until a process of this machine is at rest and returns how long
// that took.
func settle(ctx context.Context, pid int) time.Duration {
	start := time.Now()
	for before := usage(pid); before != nil; {
		select {
		case <-ctx.Done():
			return time.Since(start)
		case <-time.After(restPeriod):
		}
		now := usage(pid)
		if used := now.since(before); used == nil || used.CPUSeconds < idleCPU || time.Since(start) > longestRest {
			return time.Since(start)
		}
		before = now
	}
	return 0
}

// since returns the use between two readings.
func (u *Usage) since(before *Usage) *Usage {
	if u == nil || before == nil {
		return nil
	}
	return &Usage{CPUSeconds: u.CPUSeconds - before.CPUSeconds, ResidentMB: u.ResidentMB}
}
