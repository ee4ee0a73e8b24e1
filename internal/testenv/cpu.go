package testenv

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// CPU is the processor time that the process and all its children have had,
// to the hundredth of a second, as /proc tells it (Linux).
func (p *Process) CPU() time.Duration {
	p.t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	type process struct{ parent, ticks int }
	all := map[int]process{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // gone meanwhile
		}
		// The name, in brackets, may hold anything.
		fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
		var n [4]int
		for i, field := range []int{1, 11, 12, 13} { // parent; user, system, and user of children awaited
			if n[i], err = strconv.Atoi(string(fields[field])); err != nil {
				p.t.Fatal(fmt.Errorf("read %s: %w", file, err))
			}
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			p.t.Fatal(err)
		}
		all[pid] = process{n[0], n[1] + n[2] + n[3]}
	}
	own := p.cmd.Process.Pid
	ticks := 0
	for pid, one := range all {
		for at := pid; at > 1; at = all[at].parent {
			if at == own {
				ticks += one.ticks
				break
			}
		}
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all of Linux's platforms
	return time.Duration(ticks) * tick
}
