package match

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"courier/geo"
)

// slow takes a router's times by a factor.
type slow struct {
	geo.Router
	by time.Duration
}

func (r slow) Travel(from, to geo.Point, v geo.Vehicle) time.Duration {
	return r.by * r.Router.Travel(from, to, v)
}

// A world where everything takes twice or three times as long has the same
// plan, twice or three times as long.
//
// Two things of the search have no such scale: how alike orders are, where
// metres are compared with seconds between ready times, and the dice of the
// futures, which fall on nanoseconds. So all is ready by now where the search
// is on, and the futures are off.
func TestScalingAllTimesScalesThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSnapshot(t), drawOptions(t)
		by := time.Duration(rapid.IntRange(2, 3).Draw(t, "factor"))
		o.Futures.Count = 0
		if o.Search != (Search{}) {
			for i := range s.Orders {
				s.Orders[i].Ready = earliest(s.Orders[i].Ready, s.Now)
			}
		}
		a, b := Solve(s, o), Solve(scaled(s, by), longer(o, by))
		if x, y := timed(a, s.Now, by), timed(b, s.Now, 1); x != y {
			t.Fatalf("by %d:\n%s\nnot\n%s", by, y, x)
		}
	})
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// timed writes down who does what when, as times from now on by a factor.
func timed(res Result, now time.Time, by time.Duration) string {
	var out []string
	for _, a := range res.Assignments {
		out = append(out, fmt.Sprintf("%s %v:", a.Courier, a.Orders))
		for _, st := range a.Stops {
			out = append(out, fmt.Sprintf("%s %s %v %v", st.Kind, st.Order, by*st.Arrive.Sub(now), by*st.Depart.Sub(now)))
		}
	}
	for _, in := range res.Intents {
		out = append(out, fmt.Sprintf("%s intends %v", in.Courier, in.Stops))
	}
	for _, d := range res.Decisions {
		out = append(out, fmt.Sprintf("%s %s %q costs %.2f", d.Order, d.Outcome, d.Courier, float64(by)*d.Cost))
	}
	return fmt.Sprint(out)
}

// scaled stretches the snapshot's times around now.
func scaled(s Snapshot, by time.Duration) Snapshot {
	stretch := func(times ...*time.Time) {
		for _, t := range times {
			if !t.IsZero() {
				*t = s.Now.Add(by * t.Sub(s.Now))
			}
		}
	}
	s.Orders, s.Couriers, s.Past = slices.Clone(s.Orders), slices.Clone(s.Couriers), slices.Clone(s.Past)
	for i := range s.Orders {
		o := &s.Orders[i]
		stretch(&o.Placed, &o.Ready, &o.From, &o.Due)
	}
	for i := range s.Past {
		stretch(&s.Past[i].Placed, &s.Past[i].Ready)
	}
	for i := range s.Couriers {
		c := &s.Couriers[i]
		stretch(&c.ShiftStart, &c.ShiftEnd, &c.Leaves)
		c.Stops = slices.Clone(c.Stops)
		for k := range c.Stops {
			st := &c.Stops[k]
			stretch(&st.Ready, &st.From, &st.Due, &st.Arrive, &st.Depart)
		}
	}
	return s
}

// longer stretches all durations of the options, and what a unit earned is
// worth in seconds.
func longer(o Options, by time.Duration) Options {
	var stretch func(v reflect.Value)
	stretch = func(v reflect.Value) {
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Struct {
				stretch(f)
			} else if f.Type() == reflect.TypeFor[time.Duration]() {
				f.SetInt(f.Int() * int64(by))
			}
		}
	}
	stretch(reflect.ValueOf(&o).Elem())
	kinds := map[geo.Vehicle]Kind{}
	for v, k := range o.Kinds {
		kinds[v] = Kind{Travel: k.Travel, Order: by * k.Order}
	}
	o.Kinds = kinds
	o.Router, o.FairWeight = slow{o.Router, by}, o.FairWeight*float64(by)
	return o
}
