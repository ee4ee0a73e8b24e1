package bench

import (
	"context"
	"time"
)

// meter compares a server before and after the measured time. What is out of
// reach is left zero.
type meter struct {
	target        *Target
	before, after reading
}

type reading struct {
	server  time.Duration // processor time
	own     time.Duration
	gc      time.Duration
	taken   int64
	figures figures
	memory  memory
}

// read takes processor times first: what follows costs the server something.
func (m *meter) read(ctx context.Context) (r reading, err error) {
	t := m.target
	r.own = ownCPU()
	if t.PID != 0 {
		if r.server, err = cpuOf(t.PID); err != nil {
			return r, err
		}
	}
	if t.taken != nil {
		if r.taken, err = t.taken(ctx); err != nil {
			return r, err
		}
	}
	if t.child != nil {
		r.gc, _ = t.child.collector()
	}
	if t.PID != 0 {
		if r.memory, err = memoryOf(t.PID); err != nil {
			return r, err
		}
	}
	if t.Admin != "" {
		r.figures, err = scrape(ctx, t.Admin)
	}
	return r, err
}

// watch reads at both ends of the window.
func (m *meter) watch(ctx context.Context, w window) (err error) {
	for _, end := range []struct {
		at   time.Time
		into *reading
	}{{w.from, &m.before}, {w.until, &m.after}} {
		if !sleep(ctx, end.at) {
			return ctx.Err()
		}
		if *end.into, err = m.read(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tell puts what was read into a result about so many units of work.
func (m *meter) tell(r *Result, units int64) {
	r.Resident, r.PSS = mib(m.after.memory.resident), mib(m.after.memory.proportional)
	r.GC = m.collector()
	if units == 0 {
		return
	}
	r.ServerCPU = micros(m.after.server-m.before.server) / float64(units)
	r.OwnCPU = micros(m.after.own-m.before.own) / float64(units)
	if n := m.grown("go_memstats_mallocs_total"); n > 0 {
		r.more("allocations", n/float64(units))
		r.more("allocated_bytes", m.grown("go_memstats_alloc_bytes_total")/float64(units))
	}
}

// collector is the share of the server's processor time that its collector
// took, in percent.
func (m *meter) collector() float64 {
	spent := m.after.server - m.before.server
	if spent <= 0 {
		return 0
	}
	if gc := m.grown("go_cpu_classes_gc_total_cpu_seconds_total"); gc > 0 {
		gc -= m.grown("go_cpu_classes_gc_mark_idle_cpu_seconds_total")
		return 100 * gc / spent.Seconds()
	}
	return 100 * float64(m.after.gc-m.before.gc) / float64(spent)
}

// grown is by how much a metric has.
func (m *meter) grown(name string) float64 { return m.after.figures[name] - m.before.figures[name] }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
