package scenario

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"courier/geo"
)

// TracesConfig names a file of recorded cab positions: gzipped, tab-separated,
// with the columns time (Unix seconds), vehicle, lat, lng, occupied (0 or 1).
type TracesConfig struct {
	File     string
	From     time.Duration // where the window starts, from the file's first fix
	Window   time.Duration // how long it is; 0: to the end
	Speed    float64       // m/s of a cab at work, straight; default CabSpeed
	Capacity int           // default 1: a cab takes one fare
}

// Traces replays a recorded day: every fare that was is an order.
type Traces struct {
	couriers []Courier
	orders   []Order
	next     int
	speed    float64
}

// CabSpeed is how fast a cab at work gets on through a city, in m/s as the
// crow flies.
const CabSpeed = 7.0

// How long before its pickup a recorded fare is ordered.
const notice = 5 * time.Minute

type record struct {
	at       int64
	point    geo.Point
	occupied bool
}

// NewTraces reads the file.
func NewTraces(c TracesConfig) (*Traces, error) {
	var errs []error
	if c.File == "" {
		errs = append(errs, errors.New("File: missing"))
	}
	if c.From < 0 {
		errs = append(errs, fmt.Errorf("From: %v is under 0", c.From))
	}
	if c.Window < 0 {
		errs = append(errs, fmt.Errorf("Window: %v is under 0", c.Window))
	}
	if c.Speed < 0 {
		errs = append(errs, fmt.Errorf("Speed: %v is under 0", c.Speed))
	}
	if c.Capacity < 0 {
		errs = append(errs, fmt.Errorf("Capacity: %d is under 0", c.Capacity))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("open traces: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.File, err)
	}
	cabs, first, err := readTraces(z)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.File, err)
	}
	t := &Traces{speed: c.Speed}
	if t.speed == 0 {
		t.speed = CabSpeed
	}
	t.fill(c, cabs, first)
	if len(t.couriers) == 0 {
		return nil, fmt.Errorf("read %s: no cab in the window", c.File)
	}
	return t, nil
}

// readTraces gives each cab's fixes in order of time, as recorded: frozen
// and jumping ones too.
func readTraces(r io.Reader) (map[string][]record, int64, error) {
	cabs := map[string][]record{}
	var first int64
	in := bufio.NewScanner(r)
	for line := 1; in.Scan(); line++ {
		if line == 1 {
			continue
		}
		cells := strings.Split(in.Text(), "\t")
		if len(cells) != 5 {
			return nil, 0, fmt.Errorf("line %d has %d columns", line, len(cells))
		}
		at, err1 := strconv.ParseInt(cells[0], 10, 64)
		lat, err2 := strconv.ParseFloat(cells[2], 64)
		lng, err3 := strconv.ParseFloat(cells[3], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", line, err)
		}
		if first == 0 || at < first {
			first = at
		}
		cabs[cells[1]] = append(cabs[cells[1]], record{at, geo.Point{Lat: lat, Lng: lng}, cells[4] == "1"})
	}
	for _, list := range cabs {
		slices.SortStableFunc(list, func(a, b record) int { return int(a.at - b.at) })
	}
	return cabs, first, in.Err()
}

func (t *Traces) fill(c TracesConfig, cabs map[string][]record, first int64) {
	names := make([]string, 0, len(cabs))
	for name := range cabs {
		names = append(names, name)
	}
	slices.Sort(names)
	if c.Capacity == 0 {
		c.Capacity = 1
	}
	for _, name := range names {
		cab := Courier{Name: name, Vehicle: geo.Car, Capacity: c.Capacity}
		pickup := -1
		list := cabs[name]
		for i, r := range list {
			at := time.Duration(r.at-first)*time.Second - c.From
			inside := at >= 0 && (c.Window == 0 || at < c.Window)
			if inside {
				cab.Trace = append(cab.Trace, Fix{at, r.point})
			}
			switch {
			case i > 0 && r.occupied && !list[i-1].occupied:
				pickup = i
			case i > 0 && !r.occupied && list[i-1].occupied && pickup >= 0:
				ready := time.Duration(list[pickup].at-first)*time.Second - c.From
				if ready >= 0 && (c.Window == 0 || ready < c.Window) {
					t.orders = append(t.orders, fare(name, ready, list[pickup].point, r.point))
				}
				pickup = -1
			}
		}
		if len(cab.Trace) > 0 {
			cab.At, cab.From, cab.To = cab.Trace[0].Point, cab.Trace[0].At, cab.Trace[len(cab.Trace)-1].At+time.Minute
			t.couriers = append(t.couriers, cab)
		}
	}
	slices.SortStableFunc(t.orders, func(a, b Order) int { return int(a.At - b.At) })
}

func fare(cab string, ready time.Duration, from, to geo.Point) Order {
	return Order{
		At: max(0, ready-notice), Name: fmt.Sprintf("%s@%d", cab, int(ready.Seconds())), Ready: ready, Size: 1,
		Pickup: Door{Point: from, Address: "Kerb"}, Dropoff: Door{Point: to, Address: "Kerb"},
	}
}

// Couriers implements Source.
func (t *Traces) Couriers() []Courier { return t.couriers }

// Next implements Source.
func (t *Traces) Next() (Order, bool) {
	if t.next == len(t.orders) {
		return Order{}, false
	}
	t.next++
	return t.orders[t.next-1], true
}

// Leg implements Source.
func (t *Traces) Leg(from, to geo.Point, _ geo.Vehicle) Leg { return straight(from, to, t.speed) }

// Service implements Source.
func (t *Traces) Service(string) Service {
	return Service{Before: 20 * time.Second, After: 20 * time.Second}
}

// Roam implements Source: cabs follow their traces.
func (t *Traces) Roam(geo.Point, float64) (geo.Point, bool) { return geo.Point{}, false }

// Undelivered implements Source.
func (t *Traces) Undelivered() time.Duration { return 0 }

// Recorded is where a cab was at a time: between two fixes, on the straight
// line.
func Recorded(trace []Fix, at time.Duration) geo.Point {
	i, found := slices.BinarySearchFunc(trace, at, func(f Fix, at time.Duration) int { return int(f.At - at) })
	switch {
	case found:
		return trace[i].Point
	case i == 0:
		return trace[0].Point
	case i == len(trace):
		return trace[i-1].Point
	}
	a, b := trace[i-1], trace[i]
	return geo.Lerp(a.Point, b.Point, float64(at-a.At)/float64(b.At-a.At))
}
