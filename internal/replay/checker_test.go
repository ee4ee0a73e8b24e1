package replay

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// referee recomputes a day from the files alone: the instance's, and the
// movements that a solution logs. It shares no code with the replay, and
// believes no time that a solution claims.
type referee struct {
	speed, target    float64
	pickup, dropoff  float64 // half of each service
	at               map[string][2]float64
	placed, ready    map[string]float64
	kitchen, carrier map[string]string
	on, off          map[string]float64
	faults           []string
}

type verdict struct {
	faults                             []string
	orders, undelivered                int
	late, click, readyToPickup, excess float64
}

func cells(t *testing.T, separator func(string) []string, path ...string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][]string
	lines := bufio.NewScanner(f)
	for first := true; lines.Scan(); first = false {
		if !first && strings.TrimSpace(lines.Text()) != "" {
			out = append(out, separator(lines.Text()))
		}
	}
	return out
}

func tabs(line string) []string { return strings.Split(line, "\t") }

func num(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func newReferee(t *testing.T, instance string) *referee {
	r := &referee{
		at: map[string][2]float64{}, placed: map[string]float64{}, ready: map[string]float64{}, kitchen: map[string]string{},
		carrier: map[string]string{}, on: map[string]float64{}, off: map[string]float64{},
	}
	p := cells(t, tabs, instance, "instance_parameters.txt")[0]
	r.speed, r.pickup, r.dropoff, r.target = num(p[0]), num(p[1])/2, num(p[2])/2, num(p[3])
	for _, name := range []string{"restaurants.txt", "orders.txt", "couriers.txt"} {
		for _, c := range cells(t, tabs, instance, name) {
			r.at[c[0]] = [2]float64{num(c[1]), num(c[2])}
			switch name {
			case "orders.txt":
				r.placed[c[0]], r.kitchen[c[0]], r.ready[c[0]] = num(c[3]), c[4], num(c[5])
			case "couriers.txt":
				r.on[c[0]], r.off[c[0]] = num(c[3]), num(c[4])
			}
		}
	}
	return r
}

func (r *referee) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *referee) travel(a, b string) float64 {
	return math.Ceil(math.Hypot(r.at[a][0]-r.at[b][0], r.at[a][1]-r.at[b][1]) / r.speed)
}

// judge walks every courier along its logged moves.
func (r *referee) judge(t *testing.T, solution string) verdict {
	t.Helper()
	claims, moves := map[string][]string{}, map[string][][]string{}
	for _, c := range cells(t, strings.Fields, solution, "solution_info_orders.txt") {
		claims[c[0]] = c
	}
	for _, m := range cells(t, strings.Fields, solution, "solution_info_couriers.txt") {
		moves[m[0]] = append(moves[m[0]], m)
	}
	work := map[string][][]string{}
	for _, a := range cells(t, strings.Fields, solution, "solution_info_assignments.txt") {
		work[a[2]] = append(work[a[2]], a)
		if _, known := r.on[a[2]]; !known {
			r.fault("no courier %s", a[2])
		}
		for _, o := range a[3:] {
			if r.carrier[o] != "" {
				r.fault("%s is carried twice", o)
			}
			r.carrier[o] = a[2]
			if r.kitchen[o] == "" || r.kitchen[o] != r.kitchen[a[3]] {
				r.fault("%s is unknown or of another restaurant", o)
			}
			if num(a[0]) < r.placed[o] {
				r.fault("%s is given at %s, before it is placed", o, a[0])
			}
		}
	}
	v := verdict{orders: len(r.placed), undelivered: len(r.placed)}
	missed := len(r.placed)
	for courier, bundles := range work {
		earliest := func(a, b []string) int { return int(num(a[1]) - num(b[1])) }
		slices.SortStableFunc(moves[courier], func(a, b []string) int { return earliest(a, b) })
		slices.SortStableFunc(bundles, earliest)
		place, free, log := courier, r.on[courier], moves[courier]
		leg := func(to string, notBefore float64) float64 {
			if len(log) == 0 {
				r.fault("%s has no move to %s", courier, to)
				return math.NaN()
			}
			m := log[0]
			log = log[1:]
			from := m[2]
			if from == "0" {
				from = courier
			}
			if from != place || m[3] != to || num(m[1]) < notBefore {
				r.fault("%s cannot go from %s to %s at %s: it is at %s, free at %v", courier, from, m[3], m[1], place, notBefore)
			}
			place = to
			return num(m[1]) + r.travel(from, to)
		}
		for _, b := range bundles {
			if num(b[0]) < free {
				r.fault("%s is instructed at %s and not free before %v", courier, b[0], free)
			}
			arrived := leg(r.kitchen[b[3]], max(free, num(b[0])))
			pickup := arrived + r.pickup
			for _, o := range b[3:] {
				pickup = max(pickup, r.ready[o])
			}
			if pickup > r.off[courier] {
				r.fault("%s picks up at %v, after %v", courier, pickup, r.off[courier])
			}
			if pickup != num(b[1]) {
				r.fault("%s claims a pickup at %s, it is at %v", courier, b[1], pickup)
			}
			free = pickup + r.pickup
			for _, o := range b[3:] {
				drop := leg(o, free) + r.dropoff
				free = drop + r.dropoff
				c := claims[o]
				if len(c) != 6 || num(c[3]) != pickup || num(c[4]) != drop || c[5] != courier {
					r.fault("%s: claims %v, picked up at %v and delivered at %v", o, c, pickup, drop)
				}
				delete(claims, o)
				v.undelivered--
				click := drop - r.placed[o]
				if click <= r.target {
					missed--
				}
				v.click += click
				v.readyToPickup += pickup - r.ready[o]
				v.excess += min(150, click-(r.ready[o]-r.placed[o]+r.pickup+r.travel(r.kitchen[o], o)+r.dropoff))
			}
		}
		if len(log) > 0 {
			r.fault("%s moves without work: %v", courier, log)
		}
	}
	for o := range claims {
		r.fault("%s is claimed and not carried", o)
	}
	done := float64(v.orders - v.undelivered)
	v.click, v.readyToPickup = v.click/done, v.readyToPickup/done
	v.excess = (v.excess + 150*float64(v.undelivered)) / float64(v.orders)
	v.late, v.faults = 100*float64(missed)/float64(v.orders), r.faults
	return v
}
