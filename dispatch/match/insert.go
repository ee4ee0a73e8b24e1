package match

import (
	"time"

	"courier/geo"
)

// Insert puts one order into a courier's plan where it costs least, as a
// person orders it: capacity holds, while vehicle, skills, shift and the
// length of the plan are theirs to judge. It returns the whole plan with
// times, and false if the courier has no room.
func Insert(now time.Time, c Courier, order Order, o Options) ([]Stop, bool) {
	c.ShiftEnd = time.Time{}
	o.Router = bounded{o.Router}
	o.MaxStops = max(o.MaxStops, len(c.Stops)+2)
	r := newRider(&c, 0, now, &o)
	j := newJob(&order, now, []geo.Vehicle{c.Vehicle}, &o)
	p := newPricer(&o)
	if _, no := p.price(r, []*job{j}); no.why != fine {
		return nil, false
	}
	pickup, dropoff := j.stops()
	all := append(append([]Stop(nil), c.Stops...), pickup, dropoff)
	stops := make([]Stop, len(p.best))
	for i, k := range p.best {
		stops[i] = all[k]
	}
	return Schedule(now, c, stops, o), true
}
