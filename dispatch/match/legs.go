package match

import (
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
	others   map[leg]time.Duration
}

type leg struct {
	kind     int
	from, to int32
}

// maxWidth bounds a row: beyond, ways are kept one by one.
const maxWidth = 4096

func newLegs(router geo.Router, vehicles []geo.Vehicle) *legs {
	return &legs{router: router, vehicles: vehicles, index: map[geo.Point]int32{}, others: map[leg]time.Duration{}}
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
func (l *legs) ready() { l.rows = make([][]time.Duration, len(l.vehicles)*len(l.points)) }

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
	key := leg{kind, from, to}
	d, ok := l.others[key]
	if !ok {
		d = l.ask(kind, from, to)
		l.others[key] = d
	}
	return d
}

func (l *legs) ask(kind int, from, to int32) time.Duration {
	return l.router.Travel(l.points[from], l.points[to], l.vehicles[kind])
}
