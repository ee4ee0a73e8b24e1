package tracking

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"courier/geo"
	"courier/internal/clock"
)

var (
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	home = geo.Point{Lat: 52.1, Lng: 4.3}
)

// stopped is a clock that stands still until a test moves it.
type stopped struct {
	clock.Clock
	mu  sync.Mutex
	now time.Time
}

func newStopped() *stopped { return &stopped{Clock: clock.New(noon, 1), now: noon} }

func (c *stopped) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stopped) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// shelf is a TrailStore in memory.
type shelf struct {
	mu     sync.Mutex
	chunks []Chunk
	calls  int
	err    error

	failAfter int // so many more calls, once; 0: don't
}

func (s *shelf) AppendTrail(_ context.Context, chunks []Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls++; s.err != nil {
		return s.err
	}
	s.chunks = append(s.chunks, chunks...)
	if s.failAfter > 0 {
		if s.failAfter--; s.failAfter == 0 {
			s.err = errors.New("disk full")
		}
	}
	return nil
}

func (s *shelf) Trail(_ context.Context, courier string, from, to time.Time) ([]Chunk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Chunk
	for _, c := range s.chunks {
		if c.Courier == courier && c.From.Before(to) && !c.To.Before(from) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) count() (fixes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.chunks {
		fixes += c.Count
	}
	return fixes
}

// broken is an Index whose calls fail while err is set.
type broken struct {
	Index
	mu  sync.Mutex
	err error
}

func (b *broken) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *broken) fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *broken) Move(ctx context.Context, fixes []Fix) error {
	return errors.Join(b.fault(), b.Index.Move(ctx, fixes))
}

func (b *broken) Last(ctx context.Context, couriers ...string) ([]Fix, error) {
	if err := b.fault(); err != nil {
		return nil, err
	}
	return b.Index.Last(ctx, couriers...)
}

type rig struct {
	*Tracker
	clock *stopped
	index *Memory
	feed  *MemoryFeed
	store *shelf
}

func newRig(t testing.TB, c Config) *rig {
	t.Helper()
	r := &rig{clock: newStopped(), index: NewMemory(), feed: NewMemoryFeed(), store: &shelf{}}
	tracker, err := New(c, r.index, r.feed, r.store, r.clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.Tracker = tracker
	return r
}

// at is a good fix, some metres east of home, some time after noon.
func at(after time.Duration, east float64) Fix {
	return Fix{Time: noon.Add(after), Point: home.Offset(east, 0), Accuracy: 8}
}

func with(f Fix, change func(*Fix)) Fix {
	change(&f)
	return f
}

func (r *rig) send(t testing.TB, fixes ...Fix) Result {
	t.Helper()
	result, err := r.Ingest(t.Context(), "c1", fixes, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (r *rig) marker(t testing.TB, courier string) (Fix, bool) {
	t.Helper()
	if err := r.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	fixes, err := r.index.Last(t.Context(), courier)
	if err != nil {
		t.Fatal(err)
	}
	if len(fixes) == 0 {
		return Fix{}, false
	}
	return fixes[0], true
}

func TestRejections(t *testing.T) {
	number := func(v float64) *float64 { return &v }
	good := at(0, 0)
	for name, tt := range map[string]struct {
		fix  Fix
		want Reason
	}{
		"a good fix":                      {good, ""},
		"latitude beyond the pole":        {with(good, func(f *Fix) { f.Lat = 90.0001 }), OutOfRange},
		"longitude beyond 180":            {with(good, func(f *Fix) { f.Lng = -180.1 }), OutOfRange},
		"latitude no number":              {with(good, func(f *Fix) { f.Lat = math.NaN() }), OutOfRange},
		"longitude without end":           {with(good, func(f *Fix) { f.Lng = math.Inf(1) }), OutOfRange},
		"accuracy below nothing":          {with(good, func(f *Fix) { f.Accuracy = -1 }), OutOfRange},
		"accuracy no number":              {with(good, func(f *Fix) { f.Accuracy = math.NaN() }), OutOfRange},
		"accuracy without end":            {with(good, func(f *Fix) { f.Accuracy = math.Inf(1) }), OutOfRange},
		"speed below nothing":             {with(good, func(f *Fix) { f.Speed = number(-1) }), OutOfRange},
		"speed no number":                 {with(good, func(f *Fix) { f.Speed = number(math.NaN()) }), OutOfRange},
		"speed of a rocket":               {with(good, func(f *Fix) { f.Speed = number(1001) }), OutOfRange},
		"speed of a standing courier":     {with(good, func(f *Fix) { f.Speed = number(0) }), ""},
		"heading of a whole turn":         {with(good, func(f *Fix) { f.Heading = number(360) }), OutOfRange},
		"heading just under a whole turn": {with(good, func(f *Fix) { f.Heading = number(359.999) }), ""},
		"heading no number":               {with(good, func(f *Fix) { f.Heading = number(math.NaN()) }), OutOfRange},
		"no position at all":              {with(good, func(f *Fix) { f.Point = geo.Point{} }), NullIsland},
		"99 m from null island":           {with(good, func(f *Fix) { f.Point = geo.Point{}.Offset(99, 0) }), NullIsland},
		"101 m from null island":          {with(good, func(f *Fix) { f.Point = geo.Point{}.Offset(0, -101) }), ""},
		"accuracy of a whole district":    {with(good, func(f *Fix) { f.Accuracy = 200.1 }), Inaccurate},
		"accuracy just enough":            {with(good, func(f *Fix) { f.Accuracy = 200 }), ""},
		"a minute in the future":          {at(time.Minute, 0), ""},
		"over a minute in the future":     {at(time.Minute+time.Millisecond, 0), Future},
		"a day old":                       {at(-24*time.Hour, 0), ""},
		"over a day old":                  {at(-24*time.Hour-time.Millisecond, 0), Old},
		"no time at all":                  {with(good, func(f *Fix) { f.Time = time.Time{} }), Old},
		"range before null island":        {with(good, func(f *Fix) { f.Point, f.Accuracy = geo.Point{}, -1 }), OutOfRange},
		"null island before accuracy":     {with(good, func(f *Fix) { f.Point, f.Accuracy = geo.Point{}, 900 }), NullIsland},
		"accuracy before future":          {with(at(time.Hour, 0), func(f *Fix) { f.Accuracy = 900 }), Inaccurate},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{})
			result := r.send(t, tt.fix)
			if tt.want == "" {
				if result.Accepted != 1 || len(result.Rejected) != 0 {
					t.Errorf("%+v, want it accepted", result)
				}
				return
			}
			if want := []Rejection{{0, tt.want}}; result.Accepted != 0 || !slices.Equal(result.Rejected, want) {
				t.Errorf("%+v, want %v", result, want)
			}
			if stats := r.Stats(); stats.Rejected[tt.want] != 1 || stats.Accepted != 0 {
				t.Errorf("counted as %+v", stats)
			}
			if _, there := r.marker(t, "c1"); there {
				t.Error("a rejected fix is on the map")
			}
		})
	}
}

func TestOrder(t *testing.T) {
	const s = time.Second
	for name, tt := range map[string]struct {
		fixes []Fix
		want  Result
		at    Fix
	}{
		"one after the other": {
			[]Fix{at(0, 0), at(s, 10), at(2*s, 20)},
			Result{Accepted: 3}, at(2*s, 20)},
		"the same fix again": {
			[]Fix{at(0, 0), at(s, 10), at(0, 0), at(s, 10)},
			Result{Accepted: 2, Rejected: []Rejection{{2, Duplicate}, {3, Duplicate}}}, at(s, 10)},
		"another place at the same time": {
			[]Fix{at(s, 0), at(s, 10)},
			Result{Accepted: 1, Rejected: []Rejection{{1, Duplicate}}}, at(s, 0)},
		"less than a millisecond apart": {
			[]Fix{at(s, 0), at(s+time.Microsecond, 10)},
			Result{Accepted: 1, Rejected: []Rejection{{1, Duplicate}}}, at(s, 0)},
		"a late one goes into the trail": {
			[]Fix{at(10*s, 100), at(5*s, 50), at(5*s, 50), at(11*s, 110)},
			Result{Accepted: 3, Late: []int{1}, Rejected: []Rejection{{2, Duplicate}}}, at(11*s, 110)},
		"a jump is left out": {
			[]Fix{at(0, 0), at(10*s, 5000), at(20*s, 100)},
			Result{Accepted: 2, Rejected: []Rejection{{1, Jump}}}, at(20*s, 100)},
		"fast, but not too fast": {
			[]Fix{at(0, 0), at(10*s, 700)},
			Result{Accepted: 2}, at(10*s, 700)},
		"inaccuracy explains a step": {
			[]Fix{
				with(at(0, 0), func(f *Fix) { f.Accuracy = 150 }),
				with(at(s, 360), func(f *Fix) { f.Accuracy = 150 })},
			Result{Accepted: 2}, at(s, 360)},
		"two of nearly one moment differ by noise": {
			[]Fix{at(0, 0), at(50*time.Millisecond, 60)},
			Result{Accepted: 2}, at(50*time.Millisecond, 60)},
		"a late jump is a jump too": {
			[]Fix{at(10*s, 0), at(5*s, 5000)},
			Result{Accepted: 1, Rejected: []Rejection{{1, Jump}}}, at(10*s, 0)},
		"jumps that agree are the truth": {
			[]Fix{at(0, 90_000), at(s, 0), at(2*s, 10), at(3*s, 20), at(4*s, 30)},
			Result{Accepted: 3, Rejected: []Rejection{{1, Jump}, {2, Jump}}}, at(4*s, 30)},
		"jumps hither and thither are none": {
			[]Fix{at(0, 0), at(s, 20_000), at(2*s, -20_000), at(3*s, 20_000), at(4*s, -20_000), at(5*s, 0)},
			Result{Accepted: 2, Rejected: []Rejection{{1, Jump}, {2, Jump}, {3, Jump}, {4, Jump}}}, at(5*s, 0)},
		"a good fix between ends a row of jumps": {
			[]Fix{at(0, 0), at(s, 20_000), at(2*s, 20_000), at(3*s, 0), at(4*s, 20_000), at(5*s, 20_000)},
			Result{Accepted: 2, Rejected: []Rejection{{1, Jump}, {2, Jump}, {4, Jump}, {5, Jump}}}, at(3*s, 0)},
		"one jump sent three times is one": {
			[]Fix{at(0, 0), at(s, 20_000), at(s, 20_000), at(s, 20_000)},
			Result{Accepted: 1, Rejected: []Rejection{{1, Jump}, {2, Jump}, {3, Jump}}}, at(0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{})
			if result := r.send(t, tt.fixes...); !reflect.DeepEqual(result, tt.want) {
				t.Errorf("got %+v, want %+v", result, tt.want)
			}
			if got, _ := r.marker(t, "c1"); !got.Time.Equal(tt.at.Time.Truncate(time.Millisecond)) || got.Point != tt.at.Point {
				t.Errorf("the marker is at %v %v, want %v %v", got.Time, got.Point, tt.at.Time, tt.at.Point)
			}
		})
	}
}

func TestOneBadPlaceLocksNobodyOut(t *testing.T) {
	r := newRig(t, Config{})
	r.send(t, at(0, 1_000_000))
	for i := 1; ; i++ {
		if r.send(t, at(time.Duration(i)*time.Second, float64(i))).Accepted == 1 {
			break
		}
		if i == 3 {
			t.Fatal("still locked out after three good fixes")
		}
	}
}

func TestFences(t *testing.T) {
	r := newRig(t, Config{})
	pickup := Fence{ID: "pickup", At: home, Radius: 50}
	dropoff := Fence{ID: "dropoff", At: home.Offset(1000, 0), Radius: 50}
	both := []Fence{pickup, dropoff}
	after := time.Duration(0)
	step := func(what string, east, accuracy float64, fences []Fence, want ...string) {
		t.Helper()
		after += 20 * time.Second
		r.clock.pass(20 * time.Second)
		result, err := r.Ingest(t.Context(), "c1", []Fix{with(at(after, east), func(f *Fix) { f.Accuracy = accuracy })}, fences)
		if err != nil || result.Accepted != 1 {
			t.Fatal(what, err, result)
		}
		if !slices.Equal(result.Entered, want) {
			t.Errorf("%s: entered %v, want %v", what, result.Entered, want)
		}
	}
	step("far off", -300, 5, both)
	step("at the fence, but who knows", -10, 101, both)
	step("just outside", -70, 5, both)
	step("outside by less than the accuracy", -69, 20, both, "pickup")
	step("still there", -10, 5, both)
	step("out and in again", -300, 5, both)
	step("in again", 0, 5, both)
	step("on the way", 600, 5, both)
	step("pickup done, the rest stays", 700, 5, []Fence{dropoff})
	step("there", 1000, 5, []Fence{dropoff}, "dropoff")
	step("another set with the same one", 1000, 5, both)
	step("nothing to do", 1000, 5, nil)
	step("the same place anew", 1000, 5, []Fence{dropoff}, "dropoff")
	step("moved fence", 1000, 5, []Fence{{"dropoff", home.Offset(990, 0), 50}}, "dropoff")
}

func TestLateFixesEnterNoFence(t *testing.T) {
	r := newRig(t, Config{})
	r.send(t, at(10*time.Second, 300))
	result, err := r.Ingest(t.Context(), "c1", []Fix{at(0, 0)}, []Fence{{"pickup", home, 50}})
	if err != nil || len(result.Late) != 1 || result.Entered != nil {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	_, err := New(Config{Speed: -1, FlushEvery: -1, Accuracy: math.NaN()}, nil, nil, nil, nil, nil)
	if err == nil {
		t.Fatal("taken")
	}
	for _, name := range []string{"Speed", "FlushEvery", "Accuracy", "Index", "Feed", "TrailStore", "Clock", "Logger"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q says nothing of %s", err, name)
		}
	}
}
