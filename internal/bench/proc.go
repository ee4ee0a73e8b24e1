package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// cpuOf is the processor time that a process has had, user and system, to
// the hundredth of a second (Linux).
func cpuOf(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("processor time of the server: %w", err)
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:]) // the name, in brackets, may hold anything
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time of the server: %d fields in its stat", len(fields))
	}
	user, err1 := strconv.ParseInt(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("processor time of the server: %q, %q", fields[11], fields[12])
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all of Linux's platforms
	return time.Duration(user+system) * tick, nil
}

// ownCPU is the processor time that this process has had.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is what a process holds, in bytes.
type memory struct{ resident, proportional int64 }

func memoryOf(pid int) (memory, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, fmt.Errorf("memory of the server: %w", err)
	}
	return memory{kib(raw, "Rss:"), kib(raw, "Pss:")}, nil
}

// kib reads a line like "Rss:   1234 kB".
func kib(raw []byte, name string) int64 {
	for line := range bytes.Lines(raw) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
			return n << 10
		}
	}
	return 0
}

// load is the machine's mean number of runnable tasks over the last minute.
func load() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(raw, []byte(" "))
	n, _ := strconv.ParseFloat(string(first), 64)
	return n
}

// processor is the name of this machine's.
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range bytes.Lines(raw) {
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.HasPrefix(name, []byte("model name")) {
			return string(bytes.TrimSpace(value))
		}
	}
	return "unknown processor"
}
