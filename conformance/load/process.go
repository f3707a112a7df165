package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
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

// since returns the use between two readings.
func (u *Usage) since(before *Usage) *Usage {
	if u == nil || before == nil {
		return nil
	}
	return &Usage{CPUSeconds: u.CPUSeconds - before.CPUSeconds, ResidentMB: u.ResidentMB}
}
