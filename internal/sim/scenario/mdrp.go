package scenario

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"courier/geo"
	"courier/internal/sim/city"
)

// MDRPConfig names an instance of the Meal Delivery Routing Problem (Reyes,
// Erera, Savelsbergh, Sahasrabudhe, O'Neil 2018) and lays it on the map.
type MDRPConfig struct {
	Dir      string
	Center   geo.Point   // where the middle of the instance's kitchens goes
	Capacity int         // of every courier; default 10, the instances know no limit
	Vehicle  geo.Vehicle // default car
}

// MDRP is one instance: straight travel in whole minutes, four minutes'
// service at each end.
type MDRP struct {
	couriers []Courier
	orders   []Order
	next     int
	speed    float64 // metres a minute
	service  map[string]Service
	place    projection
}

// projection lays the instance's metres on the map.
type projection struct {
	plane city.Plane
	x, y  float64 // of its centre
}

func (p projection) point(x, y float64) geo.Point { return p.plane.Point(x-p.x, y-p.y) }

func (p projection) metres(g geo.Point) (x, y float64) {
	east, north := p.plane.Metres(g)
	return p.x + east, p.y + north
}

// NewMDRP reads the instance.
func NewMDRP(c MDRPConfig) (*MDRP, error) {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("Dir: missing"))
	}
	if err := c.Center.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("Center: %w", err))
	}
	if c.Capacity < 0 {
		errs = append(errs, fmt.Errorf("Capacity: %d is under 0", c.Capacity))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if c.Capacity == 0 {
		c.Capacity = 10
	}
	if c.Vehicle == "" {
		c.Vehicle = geo.Car
	}
	read := func(name string, numbers ...int) [][]float64 {
		rows, err := table(filepath.Join(c.Dir, name), numbers)
		errs = append(errs, err)
		return rows
	}
	// Kitchens and orders are named r1, o1, …: the number is kept.
	kitchens := read("restaurants.txt", 0, 1, 2)
	orders := read("orders.txt", 0, 1, 2, 3, 4, 5)
	couriers := read("couriers.txt", 0, 1, 2, 3, 4)
	parameters := read("instance_parameters.txt", 0, 1, 2)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read instance: %w", err)
	}
	if len(kitchens) == 0 || len(orders) == 0 || len(parameters) != 1 || !(parameters[0][0] > 0) {
		return nil, fmt.Errorf("read instance: %s is incomplete", c.Dir)
	}
	m := &MDRP{speed: parameters[0][0], place: projection{plane: city.Plane{Center: c.Center}}, service: map[string]Service{}}
	half := func(minutes float64) Service { return Service{m.minutes(minutes / 2), m.minutes(minutes / 2)} }
	m.service["pickup"], m.service["dropoff"] = half(parameters[0][1]), half(parameters[0][2])
	at := map[int][2]float64{}
	for _, k := range kitchens {
		at[int(k[0])] = [2]float64{k[1], k[2]}
		m.place.x, m.place.y = m.place.x+k[1]/float64(len(kitchens)), m.place.y+k[2]/float64(len(kitchens))
	}
	return m, m.fill(c, at, orders, couriers)
}

func (m *MDRP) minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }

// fill counts time from a minute before the first thing that happens.
func (m *MDRP) fill(c MDRPConfig, kitchens map[int][2]float64, orders, couriers [][]float64) error {
	first := math.Inf(1)
	for _, o := range orders {
		first = min(first, o[3])
	}
	for _, d := range couriers {
		first = min(first, d[3])
	}
	first--
	for _, d := range couriers {
		m.couriers = append(m.couriers, Courier{
			Name: fmt.Sprintf("Courier %d", int(d[0])), Vehicle: c.Vehicle, Capacity: c.Capacity,
			At: m.place.point(d[1], d[2]), From: m.minutes(d[3] - first), To: m.minutes(d[4] - first),
		})
	}
	for _, o := range orders {
		k, ok := kitchens[int(o[4])]
		if !ok {
			return fmt.Errorf("order %d: no restaurant %d", int(o[0]), int(o[4]))
		}
		travel := m.travel(math.Hypot(o[1]-k[0], o[2]-k[1]))
		floor := m.minutes(o[5]-o[3]) + m.service["pickup"].After + travel + m.service["dropoff"].Before
		m.orders = append(m.orders, Order{
			At: m.minutes(o[3] - first), Name: fmt.Sprintf("o%d", int(o[0])),
			Pickup:  Door{Point: m.place.point(k[0], k[1]), Address: fmt.Sprintf("Restaurant %d", int(o[4])), Name: fmt.Sprintf("Restaurant %d", int(o[4]))},
			Dropoff: Door{Point: m.place.point(o[1], o[2]), Address: fmt.Sprintf("Home of order %d", int(o[0]))},
			Ready:   m.minutes(o[5] - first), Size: 1, Floor: floor,
		})
	}
	slices.SortStableFunc(m.orders, func(a, b Order) int { return int(a.At - b.At) })
	return nil
}

// travel is in whole minutes, rounded up.
func (m *MDRP) travel(metres float64) time.Duration {
	return m.minutes(math.Ceil(metres/m.speed - 1e-6))
}

// Speed is how fast couriers travel, in m/s as the crow flies.
func (m *MDRP) Speed() float64 { return m.speed / 60 }

// Couriers implements Source.
func (m *MDRP) Couriers() []Courier { return m.couriers }

// Next implements Source.
func (m *MDRP) Next() (Order, bool) {
	if m.next == len(m.orders) {
		return Order{}, false
	}
	m.next++
	return m.orders[m.next-1], true
}

// Leg implements Source.
func (m *MDRP) Leg(from, to geo.Point, _ geo.Vehicle) Leg {
	ax, ay := m.place.metres(from)
	bx, by := m.place.metres(to)
	return Leg{Path: []geo.Point{from, to}, Time: m.travel(math.Hypot(bx-ax, by-ay))}
}

// Service implements Source.
func (m *MDRP) Service(kind string) Service {
	if s, ok := m.service[kind]; ok {
		return s
	}
	return m.service["pickup"]
}

// Roam implements Source: couriers wait where they finish.
func (m *MDRP) Roam(geo.Point, float64) (geo.Point, bool) { return geo.Point{}, false }

// Undelivered implements Source.
func (m *MDRP) Undelivered() time.Duration { return 150 * time.Minute }

// table reads the given columns of a tab-separated file with a header row as
// numbers; a leading letter, as in r12, is dropped.
func table(path string, columns []int) ([][]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.ReuseRecord = '\t', true
	var out [][]float64
	for line := 1; ; line++ {
		cells, err := r.Read()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return out, nil
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if line == 1 {
			continue
		}
		row := make([]float64, len(columns))
		for i, col := range columns {
			if col >= len(cells) {
				return nil, fmt.Errorf("%s: line %d has no column %d", path, line, col+1)
			}
			cell := cells[col]
			if cell != "" && (cell[0] >= 'a' && cell[0] <= 'z') {
				cell = cell[1:]
			}
			if row[i], err = strconv.ParseFloat(cell, 64); err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", path, line, err)
			}
		}
		out = append(out, row)
	}
}
