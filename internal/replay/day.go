package replay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"courier/dispatch/match"
	"courier/geo"
	"courier/internal/mdrp"
)

// day is an instance under way. Times are minutes of the day; the matcher is
// told them as times since midnight of an arbitrary day.
type day struct {
	*mdrp.Instance
	options match.Options
	seed    uint64

	orders   []order // by placement, then id
	known    int     // how many of them are placed
	couriers []courier
	byOrder  map[string]*order
	byName   map[string]*courier
	last     []match.Intent
	votes    []match.Vote
	tasks    []Task
}

type order struct {
	mdrp.Order
	match match.Order
	given bool
}

type courier struct {
	mdrp.Courier
	where geo.Point
	place string  // the order whose door it stands at; "": where it came on
	at    mdrp.At // metres of where it will be free
	free  int     // from when
}

// Task is one instruction: fetch a bundle at a restaurant, deliver it.
type Task struct {
	Given   int // minute, of setting out too
	Pickup  int
	Courier string
	From    string // the order at whose door the courier stood; "": where it came on
	To      string // restaurant
	Drops   []Drop
}

// Drop is an order's drop-off.
type Drop struct {
	Order string
	Leave int // minute of setting out for it
	At    int
}

// epoch is minute 0 of every instance.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func timeOf(minute int) time.Time { return epoch.Add(time.Duration(minute) * time.Minute) }

func newDay(in *mdrp.Instance, o match.Options, seed uint64) *day {
	d := &day{Instance: in, options: o, seed: seed, byOrder: map[string]*order{}, byName: map[string]*courier{}}
	ground := &plane{day: in, at: map[geo.Point]mdrp.At{}}
	d.options.Router = ground
	d.options.PickupService = time.Duration(in.Pickup) * time.Minute
	d.options.DropoffService = time.Duration(in.Dropoff) * time.Minute
	kitchens := make([]geo.Point, len(in.Restaurants))
	for i, k := range in.Restaurants {
		kitchens[i] = ground.put(k.At)
	}
	for _, o := range in.Orders {
		d.orders = append(d.orders, order{Order: o, match: match.Order{
			ID: o.ID, Pickup: kitchens[o.Restaurant], Dropoff: ground.put(o.At),
			Placed: timeOf(o.Placed), Ready: timeOf(o.Ready), Size: 1,
			Due: timeOf(o.Placed).Add(time.Duration(in.Target * float64(time.Minute))),
		}})
	}
	slices.SortStableFunc(d.orders, func(a, b order) int {
		return cmp.Or(cmp.Compare(a.Placed, b.Placed), cmp.Compare(a.ID, b.ID))
	})
	for i := range d.orders {
		d.byOrder[d.orders[i].ID] = &d.orders[i]
	}
	for _, c := range in.Couriers {
		d.couriers = append(d.couriers, courier{Courier: c, where: ground.put(c.At), at: c.At, free: c.On})
	}
	for i := range d.couriers {
		d.byName[d.couriers[i].ID] = &d.couriers[i]
	}
	return d
}

// run lives the day through, a round every so many minutes, until no order
// can be picked up any more.
func (d *day) run(ctx context.Context, every int) error {
	if len(d.orders) == 0 {
		return nil
	}
	end := 0
	for _, c := range d.couriers {
		end = max(end, c.Off)
	}
	for now := d.orders[0].Placed; now <= end; now += every {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := d.snapshot(now)
		if len(s.Orders) == 0 {
			if d.known == len(d.orders) {
				return nil
			}
			continue
		}
		result := match.Solve(s, d.options)
		for _, a := range result.Assignments {
			if err := d.instruct(now, a); err != nil {
				return fmt.Errorf("%s, minute %d: %w", d.Name, now, err)
			}
		}
		d.last, d.votes = result.Intents, result.Votes
	}
	return nil
}

// snapshot is what may be known at a minute.
//
// A courier under way cannot be diverted, so all that matters of its task is
// where and when it ends. That is told as the start of a shift: exact to the
// minute, where a position between two places would have travel rounded up
// twice.
func (d *day) snapshot(now int) match.Snapshot {
	s := match.Snapshot{Now: timeOf(now), Seed: d.seed + uint64(now), Last: d.last, Votes: d.votes}
	for ; d.known < len(d.orders) && d.orders[d.known].Placed <= now; d.known++ {
	}
	for i := range d.orders[:d.known] {
		o := &d.orders[i]
		if !o.given {
			s.Orders = append(s.Orders, o.match)
		}
		if o.Placed > now-60 {
			s.Past = append(s.Past, match.Demand{
				Placed: o.match.Placed, Ready: o.match.Ready, Pickup: o.match.Pickup, Dropoff: o.match.Dropoff, Size: 1,
			})
		}
	}
	for _, c := range d.couriers {
		if max(c.free, now) > c.Off {
			continue
		}
		s.Couriers = append(s.Couriers, match.Courier{
			ID: c.ID, At: c.where, Vehicle: geo.Car, Capacity: len(d.orders),
			ShiftStart: timeOf(c.free), ShiftEnd: timeOf(c.Off),
		})
	}
	return s
}

// instruct has a courier set out, if the rules allow what the matcher wants.
func (d *day) instruct(now int, a match.Assignment) error {
	c := d.byName[a.Courier]
	switch {
	case c == nil:
		return fmt.Errorf("the matcher names an unknown courier %q", a.Courier)
	case now < c.free:
		return fmt.Errorf("the matcher instructs %s, who is not free before %d", c.ID, c.free)
	case len(a.Orders) == 0:
		return fmt.Errorf("the matcher instructs %s to do nothing", c.ID)
	}
	kitchen, ready := -1, 0
	for _, id := range a.Orders {
		o := d.byOrder[id]
		switch {
		case o == nil || o.given || o.Placed > now:
			return fmt.Errorf("the matcher gives order %q, which does not wait, to %s", id, c.ID)
		case kitchen >= 0 && kitchen != o.Restaurant:
			return fmt.Errorf("the matcher bundles %v of two restaurants", a.Orders)
		}
		kitchen, ready, o.given = o.Restaurant, max(ready, o.Ready), true
	}
	half := func(service float64) int { return int(service) / 2 }
	k := d.Restaurants[kitchen]
	t := Task{Given: now, Courier: c.ID, From: c.place, To: k.ID}
	t.Pickup = max(ready, now+d.Travel(c.at, k.At)+half(d.Pickup))
	if t.Pickup > c.Off {
		return fmt.Errorf("the matcher has %s pick up at %d, after its shift's end at %d", c.ID, t.Pickup, c.Off)
	}
	at, leave := k.At, t.Pickup+half(d.Pickup)
	for _, id := range a.Orders {
		o := d.byOrder[id]
		drop := leave + d.Travel(at, o.At) + half(d.Dropoff)
		t.Drops = append(t.Drops, Drop{Order: id, Leave: leave, At: drop})
		at, leave = o.At, drop+half(d.Dropoff)
		c.place, c.where = id, o.match.Dropoff
	}
	c.at, c.free = at, leave
	d.tasks = append(d.tasks, t)
	return nil
}
