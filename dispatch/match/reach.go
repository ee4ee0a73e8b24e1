package match

import "courier/geo"

// probe is how far the router is asked about, in metres, to learn how fast a
// vehicle is.
const probe = 1000

// Reach is how far from a pickup, in metres as the crow flies, couriers
// belong in a snapshot: MaxRadius, and what the fastest vehicle rides in
// BusyAhead. Solve also gives orders to couriers who will stop within
// MaxRadius though they are farther away now. Those beyond Reach would come
// to the pickup only after BusyAhead: it is early enough to count on them
// when they are nearer. (The router is asked how fast it is around a place.)
func (o Options) Reach(around geo.Point) float64 {
	fastest := 0.
	for _, v := range geo.Vehicles() {
		for _, to := range []geo.Point{around.Offset(probe, 0), around.Offset(0, probe)} {
			if took := o.Router.Travel(around, to, v); took > 0 {
				fastest = max(fastest, geo.Distance(around, to)/took.Seconds())
			}
		}
	}
	return o.MaxRadius + fastest*o.BusyAhead.Seconds()
}
