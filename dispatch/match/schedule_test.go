package match

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSchedule(t *testing.T) {
	stop := func(kind StopKind, at float64, change ...func(*Stop)) Stop {
		s := Stop{Order: "o", Kind: kind, At: town.Offset(at, 0), Size: 1}
		for _, f := range change {
			f(&s)
		}
		return s
	}
	ready := func(m float64) func(*Stop) { return func(s *Stop) { s.Ready = in(m) } }
	from := func(m float64) func(*Stop) { return func(s *Stop) { s.From = in(m) } }
	arrived := func(s *Stop) { s.Arrived = true }
	since := func(m float64) func(*Stop) { return func(s *Stop) { s.Arrived, s.Since = true, in(m) } }
	// 300 m a minute; two minutes at a stop, the hand-over in the middle.
	for name, tt := range map[string]struct {
		stops []Stop
		want  []float64 // minutes: arrive, depart, arrive, depart …
	}{
		"nothing to do":                           {nil, nil},
		"there and back":                          {[]Stop{stop(Pickup, 900), stop(Dropoff, 0)}, []float64{3, 5, 8, 10}},
		"a stop where the courier stands":         {[]Stop{stop(Pickup, 100, arrived), stop(Dropoff, 700)}, []float64{0, 2, 4, 6}},
		"a stop that is half done":                {[]Stop{stop(Pickup, 0, since(-1.5)), stop(Dropoff, 600)}, []float64{-1.5, 0.5, 2.5, 4.5}},
		"a stop that should be over":              {[]Stop{stop(Pickup, 0, since(-9)), stop(Dropoff, 600)}, []float64{-9, 0, 2, 4}},
		"waits there since long":                  {[]Stop{stop(Pickup, 0, since(-9), ready(3))}, []float64{-9, 4}},
		"came by a clock that is ahead":           {[]Stop{stop(Pickup, 0, since(5))}, []float64{0, 2}},
		"waits until it is ready":                 {[]Stop{stop(Pickup, 300, ready(10)), stop(Dropoff, 900)}, []float64{1, 11, 13, 15}},
		"was ready long ago":                      {[]Stop{stop(Pickup, 300, ready(-10))}, []float64{1, 3}},
		"waits at the door for the window":        {[]Stop{stop(Dropoff, 300, from(30))}, []float64{1, 31}},
		"one visit for two pickups":               {[]Stop{stop(Pickup, 300), stop(Pickup, 300, ready(5))}, []float64{1, 6, 1, 6}},
		"a pickup and a drop-off are two visits":  {[]Stop{stop(Dropoff, 300), stop(Pickup, 300)}, []float64{1, 3, 3, 5}},
		"two doors far apart are two visits":      {[]Stop{stop(Dropoff, 300), stop(Dropoff, 600)}, []float64{1, 3, 4, 6}},
		"a return needs neither ready nor window": {[]Stop{stop(Return, 300, ready(9), from(9))}, []float64{1, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Schedule(noon, courier("c", 0), tt.stops, options())
			for i, s := range got {
				a, d := s.Arrive.Sub(noon).Round(time.Second).Minutes(), s.Depart.Sub(noon).Round(time.Second).Minutes()
				if a != tt.want[2*i] || d != tt.want[2*i+1] {
					t.Errorf("stop %d: from %v to %v, want %v to %v", i, a, d, tt.want[2*i], tt.want[2*i+1])
				}
			}
			if len(got) != len(tt.stops) {
				t.Errorf("%d stops of %d", len(got), len(tt.stops))
			}
		})
	}
}

func TestPeakLoad(t *testing.T) {
	stops := []Stop{{Kind: Pickup, Size: 2}, {Kind: Dropoff, Size: 3}, {Kind: Pickup, Size: 1}, {Kind: Return, Size: 2}}
	for name, tt := range map[string]struct{ onboard, want int }{
		"in the middle": {3, 5},
		"no stops yet":  {0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := PeakLoad(tt.onboard, stops); got != tt.want {
				t.Errorf("peak %d, want %d", got, tt.want)
			}
		})
	}
	if got := PeakLoad(4, nil); got != 4 {
		t.Errorf("without stops: %d", got)
	}
}

func TestScheduleIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), options()
		for _, c := range s.Couriers {
			stops := Schedule(s.Now, c, c.Stops, o)
			at, free := c.At, s.Now
			if c.Leaves.After(free) {
				free = c.Leaves
			}
			for i, st := range stops {
				visit := i > 0 && st.Kind == stops[i-1].Kind && st.Arrive.Equal(stops[i-1].Arrive)
				switch {
				case visit && !st.Depart.Equal(stops[i-1].Depart):
					t.Fatalf("one visit, left twice: %+v", stops)
				case visit:
				case st.Arrived && !st.Arrive.Equal(s.Now):
					t.Fatalf("stands there since %v, not %v", st.Arrive, free)
				case !st.Arrived && !st.Arrive.Equal(free.Add(o.Router.Travel(at, st.At, c.Vehicle))):
					t.Fatalf("arrives at %v from %v", st.Arrive, free)
				}
				if st.Depart.Sub(st.Arrive) < 2*time.Minute || st.Kind == Pickup && st.Depart.Before(st.Ready) {
					t.Fatalf("stop of %v at %v, ready %v", st.Depart.Sub(st.Arrive), st.Arrive, st.Ready)
				}
				at, free = st.At, st.Depart
			}
		}
	})
}
