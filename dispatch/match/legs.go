package match

import (
	"math/bits"
	"time"

	"courier/geo"
)

// noWay is the time of a way that cannot be travelled. Nothing is handed over
// that late.
const noWay = 4 * maxDuration

// bounded holds a router to times that can be added up.
type bounded struct{ geo.Router }

// Travel implements geo.Router. A time below zero is no way.
func (b bounded) Travel(from, to geo.Point, by geo.Vehicle) time.Duration {
	if d := b.Router.Travel(from, to, by); d >= 0 && d < noWay {
		return d
	}
	return noWay
}

// legs answers how long the ways between the places of a round take, each
// worked out once. The ends of orders are numbered first: from every place
// there is a row of the ways to them.
type legs struct {
	router   geo.Router
	vehicles []geo.Vehicle
	points   []geo.Point
	index    map[geo.Point]int32
	width    int               // places up to here have a column
	rows     [][]time.Duration // by vehicle and place; one more than the time, 0: not asked yet
	others   []leg             // ways to other places, each where its ends put it, until another takes the place
	shift    int               // to get there
}

type leg struct {
	from, to int32
	kind     int32 // one more than the vehicle's number: 0 is no way
	took     time.Duration
}

// maxWidth bounds a row: beyond, ways are kept in others.
const maxWidth = 4096

// maxOthers is the power of two of how many ways are kept there at most.
const maxOthers = 16

func newLegs(router geo.Router, vehicles []geo.Vehicle) *legs {
	return &legs{router: router, vehicles: vehicles, index: map[geo.Point]int32{}}
}

// place numbers a point.
func (l *legs) place(p geo.Point) int32 {
	n, ok := l.index[p]
	if !ok {
		n = int32(len(l.points))
		l.index[p] = n
		l.points = append(l.points, p)
	}
	return n
}

// wide makes columns for the places numbered so far.
func (l *legs) wide() {
	if l.width = len(l.points); l.width > maxWidth {
		l.width = 0
	}
}

// ready makes room for the rows, once all places are numbered.
func (l *legs) ready() {
	l.rows = make([][]time.Duration, len(l.vehicles)*len(l.points))
	size := min(maxOthers, bits.Len(uint(8*len(l.points))))
	l.others, l.shift = make([]leg, 1<<size), 64-size
}

func (l *legs) travel(kind int, from, to int32) time.Duration {
	if int(to) < l.width {
		row := l.rows[kind*len(l.points)+int(from)]
		if row == nil {
			row = make([]time.Duration, l.width)
			l.rows[kind*len(l.points)+int(from)] = row
		}
		if row[to] == 0 {
			row[to] = l.ask(kind, from, to) + 1
		}
		return row[to] - 1
	}
	hash := uint64(uint32(from))<<32 | uint64(uint32(to)) //nolint:gosec // bits
	known := &l.others[hash*0x9e3779b97f4a7c15>>l.shift]
	if key := int32(kind + 1); known.from != from || known.to != to || known.kind != key { //nolint:gosec // a few kinds
		*known = leg{from, to, key, l.ask(kind, from, to)}
	}
	return known.took
}

func (l *legs) ask(kind int, from, to int32) time.Duration {
	return l.router.Travel(l.points[from], l.points[to], l.vehicles[kind])
}
