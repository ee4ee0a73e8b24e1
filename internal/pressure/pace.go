package pressure

import "time"

// pace is how many are worked on at once under overload: half of the slots,
// since refusals take their share of the processors, and fewer where the work
// of one lasts longer than it should. That is when something behind the node
// has too much to do, such as the database: more at once would only wait there,
// where nobody is turned away.
type pace struct {
	slots float64
	since time.Time     // when the mean began
	at    time.Time     // until when area is counted
	area  time.Duration // slots taken, times for how long
	left  int           // works that ended
}

// Under overload the slots go down by a third in a Burst at most, to a 16th of
// all at least, and up by one.
const (
	slower = 2. / 3
	fewer  = 16
)

// busy counts slots that have been taken until now.
func (p *pace) busy(slots int, now time.Time) {
	if !p.at.IsZero() {
		p.area += time.Duration(slots) * now.Sub(p.at)
	}
	p.at = now
}

// end notes that a work has ended and, once in a Burst, sets the slots by how
// long one has lasted in the mean (Little's law: slots taken over works a
// second).
func (p *pace) end(c Config, pressed bool, now time.Time) {
	p.left++
	if now.Sub(p.since) < c.Burst {
		return
	}
	most, least := float64(max(c.Slots/2, 1)), float64(max(c.Slots/fewer, 1))
	mean := p.area / time.Duration(p.left)
	switch {
	case !pressed:
		p.slots = most
	case mean > c.Work:
		p.slots *= max(float64(c.Work)/float64(mean), slower)
	default:
		p.slots++
	}
	p.slots = min(max(p.slots, least), most)
	p.since, p.area, p.left = now, 0, 0
}
