package tracking

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"courier/geo"
)

// Memory is an Index in this process.
type Memory struct {
	mu    sync.RWMutex
	cells *geo.CellIndex // changed only under mu
	held  map[string]*entry
	// heard has a list of the entries received in each second of Unix time,
	// so that what is stale is found without a look at the others. There are
	// about as many seconds as StaleAfter has.
	heard map[int64]*entry
}

type entry struct {
	fix        Fix
	prev, next *entry // of the same second; prev of the first is nil
}

// moveBatch is how many fixes are moved under one lock, so that readers wait
// for some tens of microseconds at most.
const moveBatch = 32

// NewMemory is an empty index.
func NewMemory() *Memory {
	return &Memory{cells: geo.NewCellIndex(), held: make(map[string]*entry), heard: make(map[int64]*entry)}
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
		switch {
		case e == nil:
			e = &entry{fix: *f}
			m.held[f.Courier] = e
			m.link(e)
		case e.fix.Received.Unix() == f.Received.Unix():
			e.fix = *f
		default:
			m.unlink(e)
			e.fix = *f
			m.link(e)
		}
	}
	return nil
}

func (m *Memory) link(e *entry) {
	second := e.fix.Received.Unix()
	e.prev, e.next = nil, m.heard[second]
	if e.next != nil {
		e.next.prev = e
	}
	m.heard[second] = e
}

func (m *Memory) unlink(e *entry) {
	switch second := e.fix.Received.Unix(); {
	case e.prev != nil:
		e.prev.next = e.next
	case e.next != nil:
		m.heard[second] = e.next
	default:
		delete(m.heard, second)
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
}

// Remove implements Index.
func (m *Memory) Remove(_ context.Context, couriers ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, courier := range couriers {
		if e := m.held[courier]; e != nil {
			m.remove(e)
		}
	}
	return nil
}

func (m *Memory) remove(e *entry) {
	m.unlink(e)
	delete(m.held, e.fix.Courier)
	m.cells.Remove(e.fix.Courier)
}

// leave forgets a courier whose newest fix, f, belongs elsewhere.
func (m *Memory) leave(f *Fix) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.held[f.Courier]; e != nil && f.Time.After(e.fix.Time) {
		m.remove(e)
	}
}

// drop forgets couriers by their fixes. Readers go on while it looks.
func (m *Memory) drop(which func(f *Fix) bool) {
	var some []string
	m.mu.RLock()
	for courier, e := range m.held {
		if which(&e.fix) {
			some = append(some, courier)
		}
	}
	m.mu.RUnlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, courier := range some {
		if e := m.held[courier]; e != nil && which(&e.fix) {
			m.remove(e)
		}
	}
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

// Stale implements Index; the longest silent come first, to the second.
func (m *Memory) Stale(_ context.Context, before time.Time, limit int) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []string
	for _, second := range slices.Sorted(maps.Keys(m.heard)) {
		if second > before.Unix() {
			break
		}
		for e := m.heard[second]; e != nil; e = e.next {
			if len(out) >= limit {
				return out, nil
			}
			if e.fix.Received.Before(before) {
				out = append(out, e.fix.Courier)
			}
		}
	}
	return out, nil
}
