package tracking

import (
	"context"
	"sync"
	"time"

	"courier/geo"
)

// Memory is an Index in this process.
type Memory struct {
	mu    sync.RWMutex
	cells *geo.CellIndex // changed only under mu
	held  map[string]*entry
	// A ring through all entries by time received, the longest silent first
	// after root: what is stale is found without a look at the others.
	root entry
}

type entry struct {
	fix        Fix
	prev, next *entry
}

// moveBatch is how many fixes are moved under one lock, so that readers wait
// for some tens of microseconds at most.
const moveBatch = 32

// NewMemory is an empty index.
func NewMemory() *Memory {
	m := &Memory{cells: geo.NewCellIndex(), held: make(map[string]*entry)}
	m.root.prev, m.root.next = &m.root, &m.root
	return m
}

// Move implements Index. It fails only for what is no place on Earth.
func (m *Memory) Move(_ context.Context, fixes []Fix) error {
	for len(fixes) > 0 {
		n := min(len(fixes), moveBatch)
		if err := m.move(fixes[:n]); err != nil {
			return err
		}
		fixes = fixes[n:]
	}
	return nil
}

func (m *Memory) move(fixes []Fix) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range fixes {
		f := &fixes[i]
		e := m.held[f.Courier]
		if e != nil && !f.Time.After(e.fix.Time) {
			continue
		}
		if err := m.cells.Set(f.Courier, f.Point); err != nil {
			return err
		}
		if e == nil {
			e = new(entry)
			m.held[f.Courier] = e
		} else {
			e.unlink()
		}
		e.fix = *f
		after := m.root.prev
		for after != &m.root && after.fix.Received.After(f.Received) {
			after = after.prev // rare and short: fixes come as they are received
		}
		e.prev, e.next = after, after.next
		e.prev.next, e.next.prev = e, e
	}
	return nil
}

func (e *entry) unlink() { e.prev.next, e.next.prev = e.next, e.prev }

// Remove implements Index.
func (m *Memory) Remove(_ context.Context, couriers ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, courier := range couriers {
		if e := m.held[courier]; e != nil {
			e.unlink()
			delete(m.held, courier)
			m.cells.Remove(courier)
		}
	}
	return nil
}

// Last implements Index.
func (m *Memory) Last(_ context.Context, couriers ...string) ([]Fix, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Fix
	for _, courier := range couriers {
		if e := m.held[courier]; e != nil {
			out = append(out, e.fix)
		}
	}
	return out, nil
}

// Near implements Index.
func (m *Memory) Near(_ context.Context, at geo.Point, radius float64, limit int) ([]Fix, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.fixes(m.cells.Near(at, radius, limit, nil)), nil
}

// Within implements Index.
func (m *Memory) Within(_ context.Context, box geo.Bounds, limit int) ([]Fix, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.fixes(m.cells.Within(box, limit)), nil
}

func (m *Memory) fixes(found []geo.Neighbor) []Fix {
	out := make([]Fix, len(found))
	for i := range found {
		out[i] = m.held[found[i].ID].fix
	}
	return out
}

// Stale implements Index; the longest silent come first.
func (m *Memory) Stale(_ context.Context, before time.Time, limit int) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []string
	for e := m.root.next; e != &m.root && e.fix.Received.Before(before) && len(out) < limit; e = e.next {
		out = append(out, e.fix.Courier)
	}
	return out, nil
}
