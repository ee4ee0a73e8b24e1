package tracking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"courier/geo"
	"courier/internal/clock"
)

// Mirror is this process's copy of an index that many share, of the regions
// that it needs: whoever asks a thousand times a second who is near asks
// here.
//
//	Cover → Feed (from now on) ┐
//	      → Index.Within ──────┼→ Memory → Near, Last
//	Own (what this node moves) ┘
//
// The feed may lose fixes, and it says nothing of those who leave. So the
// index is read again every few seconds: what a mirror lacks, or has too
// much, it has for that long, or until the courier's next fix. While the
// index is away, the mirror keeps what it has and what this node brings.
type Mirror struct {
	config  MirrorConfig
	index   Index
	watcher Watcher
	held    *Memory
	clock   clock.Clock
	log     *slog.Logger
	begun   time.Time
	soon    chan struct{} // a snapshot is wanted before its time

	snapping chan struct{} // held by whoever reads the index: a caller's wait must end with its context
	mu       sync.RWMutex
	covered  map[geo.Cell]struct{}
	all      bool         // the zero cell is covered
	boxes    []geo.Bounds // around what is covered
	stats    MirrorStats
	failing  bool
}

// MirrorConfig sets a Mirror. A zero field takes its default.
type MirrorConfig struct {
	StaleAfter time.Duration // by the clock: who is not heard of for so long goes; default 60 s
	Every      time.Duration // real time between two snapshots; default 10 s
	// Settle is the real time after a change of regions to the next
	// snapshot: the feed may begin somewhat later than it was asked to.
	// Default 1 s.
	Settle time.Duration
	Within time.Duration // real time that a snapshot may take; default 2 s
}

// MirrorStats count since the start of the process.
type MirrorStats struct {
	Couriers  int // held now
	Regions   int // covered now
	Snapshots uint64
	Failures  uint64        // of snapshots
	Last      time.Time     // of the last whole snapshot; zero: there was none
	Age       time.Duration // since then, or since the start, in real time
	Lag       time.Duration // from a fix's receipt to here, of the last that the feed brought, in real time
}

// NewMirror checks the configuration and reports every fault of it. A mirror
// covers nothing before Cover; Close it.
func NewMirror(c MirrorConfig, index Index, feed Feed, clk clock.Clock, log *slog.Logger) (*Mirror, error) {
	c.StaleAfter = cmp.Or(c.StaleAfter, time.Minute)
	c.Every = cmp.Or(c.Every, 10*time.Second)
	c.Settle = cmp.Or(c.Settle, time.Second)
	c.Within = cmp.Or(c.Within, 2*time.Second)
	err := errors.Join(
		positive("StaleAfter", c.StaleAfter),
		positive("Every", c.Every),
		positive("Settle", c.Settle),
		positive("Within", c.Within),
		given("Index", index != nil),
		given("Feed", feed != nil),
		given("Clock", clk != nil),
		given("Logger", log != nil))
	if err != nil {
		return nil, fmt.Errorf("mirror: %w", err)
	}
	return &Mirror{
		config: c, index: index, watcher: feed.Subscribe(), held: NewMemory(), clock: clk, log: log, begun: time.Now(),
		soon: make(chan struct{}, 1), snapping: make(chan struct{}, 1), covered: map[geo.Cell]struct{}{},
	}, nil
}

// Close ends the subscription to the feed.
func (m *Mirror) Close() { m.watcher.Close() }

// Run keeps the mirror up to date until ctx ends.
func (m *Mirror) Run(ctx context.Context) error {
	// With a fast clock couriers must not go stale between two snapshots.
	every := time.Duration(float64(m.config.StaleAfter) / 4 / m.clock.Rate())
	again := time.NewTicker(max(min(m.config.Every, every), 100*time.Millisecond))
	defer again.Stop()
	stale := m.clock.Ticker(m.config.StaleAfter / 4)
	defer stale.Stop()
	settled := time.NewTimer(m.config.Settle)
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case fixes, open := <-m.watcher.Fixes():
			if !open {
				return nil
			}
			m.take(ctx, fixes)
		case <-m.soon:
			settled.Reset(m.config.Settle)
		case <-settled.C:
			m.refresh(ctx)
		case <-again.C:
			m.refresh(ctx)
		case <-stale.C:
			m.expire()
		}
	}
}

// take takes what the feed brought.
func (m *Mirror) take(ctx context.Context, fixes []Fix) {
	if len(fixes) == 0 {
		return
	}
	if err := m.held.Move(ctx, fixes); err != nil {
		m.log.LogAttrs(ctx, slog.LevelWarn, "fix not mirrored", slog.Any("err", err))
	}
	lag := m.clock.Now().Sub(fixes[len(fixes)-1].Received)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Lag = time.Duration(float64(lag) / m.clock.Rate())
}

// refresh reads all that is covered anew, and says when that begins to fail
// and when it works again.
func (m *Mirror) refresh(ctx context.Context) {
	err := m.snapshot(ctx)
	m.mu.Lock()
	before := m.failing
	m.failing = err != nil && ctx.Err() == nil
	now := m.failing
	m.mu.Unlock()
	switch {
	case now && !before:
		m.log.LogAttrs(ctx, slog.LevelWarn, "index not mirrored, going on with what is known", slog.Any("err", err))
	case before && !now && ctx.Err() == nil:
		m.log.LogAttrs(ctx, slog.LevelInfo, "index mirrored again")
	}
}

// Cover replaces the regions (cells of geo.RegionResolution, the zero cell
// for all) that the mirror holds, and reads those that are new. After an
// error it holds them too, as far as the feed and later snapshots bring them.
func (m *Mirror) Cover(ctx context.Context, regions ...geo.Cell) error {
	covered := make(map[geo.Cell]struct{}, len(regions))
	for _, region := range regions {
		covered[region] = struct{}{}
	}
	m.mu.Lock()
	var fresh []geo.Cell
	for region := range covered {
		if _, already := m.covered[region]; !already {
			fresh = append(fresh, region)
		}
	}
	if len(fresh) == 0 && len(covered) == len(m.covered) {
		m.mu.Unlock()
		return nil
	}
	gone := len(m.covered)+len(fresh) > len(covered)
	_, m.all = covered[0]
	m.covered, m.boxes, m.stats.Regions = covered, boxesOver(regions), len(covered)
	m.watcher.Watch(regions...) // before the index is read: nothing is missed in between
	m.mu.Unlock()
	if gone {
		m.held.drop(func(f *Fix) bool { return !m.covers(f) })
	}
	if len(fresh) == 0 {
		return nil
	}
	select {
	case m.soon <- struct{}{}:
	default:
	}
	fixes, err := m.read(ctx, boxesOver(fresh))
	return errors.Join(err, m.keep(ctx, fixes))
}

// boxesOver are boxes around regions, few and small: each is a question to
// the index, and one around two towns would hold the land between.
func boxesOver(regions []geo.Cell) []geo.Bounds {
	towns := make(map[geo.Cell][]geo.Cell)
	for _, region := range regions {
		if region == 0 {
			return []geo.Bounds{{South: -90, West: -180, North: 90, East: 180}}
		}
		area := region.Parent(geo.AreaResolution)
		towns[area] = append(towns[area], region)
	}
	var boxes []geo.Bounds
	for _, town := range towns {
		boxes = append(boxes, geo.Boxes(town)...)
	}
	for merged := true; merged; {
		boxes, merged = mergedOnce(boxes)
	}
	return boxes
}

// mergedOnce has two boxes made one that is hardly larger than both.
func mergedOnce(boxes []geo.Bounds) ([]geo.Bounds, bool) {
	size := func(b geo.Bounds) float64 { return (b.North - b.South) * (b.East - b.West) }
	for i, a := range boxes {
		for j, b := range boxes[:i] {
			both := geo.Bounds{
				South: min(a.South, b.South), West: min(a.West, b.West),
				North: max(a.North, b.North), East: max(a.East, b.East),
			}
			if size(both) <= 1.5*(size(a)+size(b)) {
				boxes[j] = both
				return slices.Delete(boxes, i, i+1), true
			}
		}
	}
	return boxes, false
}

// snapshot reads all that is covered, and drops what the index does not have
// any more.
func (m *Mirror) snapshot(ctx context.Context) error {
	m.mu.RLock()
	boxes := slices.Clone(m.boxes)
	m.mu.RUnlock()
	// Who was heard of lately may be on the way into the index still, or
	// back into one that has lost everything.
	before := m.clock.Now().Add(-m.grace())
	fixes, err := m.read(ctx, boxes)
	if err != nil {
		return err
	}
	newest := make(map[string]time.Time, len(fixes))
	for i := range fixes {
		newest[fixes[i].Courier] = fixes[i].Time
	}
	m.held.drop(func(f *Fix) bool {
		return f.Time.After(newest[f.Courier]) && f.Received.Before(before) || !m.covers(f)
	})
	if err := m.keep(ctx, fixes); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Last = time.Now()
	return nil
}

// grace is how long a courier whom the index does not know stays.
func (m *Mirror) grace() time.Duration { return m.config.StaleAfter / 4 }

// everyone is more couriers than one process can follow.
const everyone = 10_000_000

// read is what the index holds of some boxes.
func (m *Mirror) read(ctx context.Context, boxes []geo.Bounds) (all []Fix, err error) {
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.stats.Snapshots++; err != nil {
			m.stats.Failures++
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, m.config.Within)
	defer cancel()
	select {
	case m.snapping <- struct{}{}:
		defer func() { <-m.snapping }()
	case <-ctx.Done():
		return nil, fmt.Errorf("mirror the index: %w", ctx.Err())
	}
	for _, box := range boxes {
		fixes, err := m.index.Within(ctx, box, everyone)
		if err != nil {
			return nil, fmt.Errorf("mirror the index: %w", err)
		}
		all = append(all, fixes...)
	}
	return all, nil
}

// keep moves couriers to those fixes that lie in what is covered, and lets
// go of those who have left it.
func (m *Mirror) keep(ctx context.Context, fixes []Fix) error {
	ours := make([]Fix, 0, len(fixes))
	for i := range fixes {
		if m.covers(&fixes[i]) {
			ours = append(ours, fixes[i])
		} else {
			m.held.leave(&fixes[i])
		}
	}
	return m.held.Move(ctx, ours)
}

func (m *Mirror) covers(f *Fix) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.all || len(m.covered) == 0 {
		return m.all
	}
	region, err := geo.CellOf(f.Point, geo.RegionResolution)
	if err != nil {
		return false
	}
	_, covered := m.covered[region]
	return covered
}

// expire drops who has not been heard of for StaleAfter.
func (m *Mirror) expire() {
	before := m.clock.Now().Add(-m.config.StaleAfter)
	m.held.drop(func(f *Fix) bool { return f.Received.Before(before) })
}

// Last returns the held fixes of those couriers that have one, in no order.
func (m *Mirror) Last(ctx context.Context, couriers ...string) ([]Fix, error) {
	return m.held.Last(ctx, couriers...)
}

// Near is Index.Near within what is covered.
func (m *Mirror) Near(ctx context.Context, at geo.Point, radius float64, limit int) ([]Fix, error) {
	return m.held.Near(ctx, at, radius, limit)
}

// blindAfter is how long, in real time, the index must be away at least
// before Blind says so: with a fast clock couriers go stale much sooner.
const blindAfter = 15 * time.Second

// Blind says that the index could not be read for so long that couriers of
// other nodes go stale here.
func (m *Mirror) Blind() bool {
	half := time.Duration(float64(m.config.StaleAfter) / 2 / m.clock.Rate())
	return m.Stats().Age > max(half, blindAfter)
}

// Stats is a snapshot.
func (m *Mirror) Stats() MirrorStats {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := m.stats
	s.Couriers, s.Age = m.held.cells.Len(), time.Since(m.begun)
	if !s.Last.IsZero() {
		s.Age = time.Since(s.Last)
	}
	return s
}
