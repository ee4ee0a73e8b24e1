package sim

import (
	"math/rand/v2"
	"time"

	"courier/geo"
	"courier/internal/sim/client"
	"courier/internal/sim/scenario"
)

// body is where a courier is: standing, or under way on a leg.
type body struct {
	leg   scenario.Leg
	start time.Time
	// The phone's error, which wanders rather than jumps.
	east, north float64
}

func (b *body) stand(p geo.Point) { b.leg = scenario.Leg{Path: []geo.Point{p}} }

func (b *body) drive(l scenario.Leg, now time.Time) { b.leg, b.start = l, now }

func (b *body) at(now time.Time) geo.Point {
	p, _ := b.leg.Position(now.Sub(b.start))
	return p
}

func (b *body) arrival() time.Time { return b.start.Add(b.leg.Time) }

func (b *body) moving(now time.Time) bool { return len(b.leg.Path) > 1 && now.Before(b.arrival()) }

// fix is what the phone says about it.
func (b *body) fix(now time.Time, rng *rand.Rand, noise float64) client.Fix {
	p, heading := b.leg.Position(now.Sub(b.start))
	b.east = 0.85*b.east + 0.5*noise*rng.NormFloat64()
	b.north = 0.85*b.north + 0.5*noise*rng.NormFloat64()
	p = p.Offset(b.east, b.north)
	f := client.Fix{Time: now, Lat: p.Lat, Lng: p.Lng, Accuracy: 4 + 6*rng.Float64()}
	speed := 0.0
	if b.moving(now) {
		if heading >= 360 {
			heading = 0
		}
		speed, f.Heading = b.leg.Length()/b.leg.Time.Seconds(), &heading
	}
	f.Speed = &speed
	return f
}
