package match

import (
	"cmp"
	"math"
	"slices"
	"time"

	"courier/geo"
)

// bundle is one or more jobs from one place for one courier: a row of the
// assignment.
type bundle struct {
	jobs    []*job // in drop-off order
	options []option
	alone   int64
	place   int
	serial  int // in order of making
}

// pool holds the bundles of a round. It begins with every job by itself and
// joins them where the prices of an assignment say that it pays.
type pool struct {
	o       *Options
	riders  []*rider
	bundles []*bundle
	made    int
	merged  map[[2]int]*bundle // by serials; nil: cannot be
	single  map[*job]*bundle
}

func newPool(jobs []*job, riders []*rider, o *Options) *pool {
	pl := &pool{o: o, riders: riders, merged: map[[2]int]*bundle{}, single: map[*job]*bundle{}}
	place := placesOf(jobs, o.BundleRadius)
	for i, j := range jobs {
		if len(j.options) > 0 {
			b := pl.make(&bundle{jobs: []*job{j}, options: j.options, alone: j.alone, place: place[i]})
			pl.bundles, pl.single[j] = append(pl.bundles, b), b
		}
	}
	return pl
}

func (pl *pool) make(b *bundle) *bundle {
	b.serial = pl.made
	pl.made++
	return b
}

// placesOf numbers the places of pickup: each is within radius metres of the
// first job that was put there.
func placesOf(jobs []*job, radius float64) []int {
	band := max(radius, 1) / geo.EarthRadius * 180 / math.Pi // degrees of latitude
	type anchor struct {
		at    geo.Point
		place int
	}
	anchors := map[int][]anchor{}
	places, n := make([]int, len(jobs)), 0
next:
	for i, j := range jobs {
		row := int(math.Floor(j.Pickup.Lat / band))
		for r := row - 1; r <= row+1; r++ {
			for _, a := range anchors[r] {
				if within(a.at, j.Pickup, radius) {
					places[i] = a.place
					continue next
				}
			}
		}
		places[i] = n
		anchors[row] = append(anchors[row], anchor{j.Pickup, n})
		n++
	}
	return places
}

// solve assigns the bundles, then joins bundles and assigns again for as long
// as it pays.
func (pl *pool) solve() assignment {
	var a assignment
	both(func() { a = pl.assign(pl.bundles) }, func() {
		if pl.o.MaxBundle > 1 {
			pl.pairs() // the first ones do not depend on prices
		}
	})
	for round := 0; round < maxJoins && pl.o.MaxBundle > 1; round++ {
		joins := pl.joins(a)
		improved := false
		// All at once may be too many, as each was judged by prices that
		// the others change: then the better half, down to the best one.
		for n := len(joins); n > 0 && !improved; n /= 2 {
			bundles := pl.replace(joins[:n])
			if next := pl.assign(bundles); next.cost < a.cost {
				pl.bundles, a, improved = bundles, next, true
				if pl.part(a) {
					a = pl.assign(pl.bundles)
				}
			}
		}
		if !improved {
			break
		}
	}
	return a
}

// part takes the bundles apart that got no courier, at no cost: their orders
// may go with others. It says whether there were any.
func (pl *pool) part(a assignment) bool {
	var out []*bundle
	for i, b := range pl.bundles {
		if a.col[i] != none || len(b.jobs) == 1 {
			out = append(out, b)
			continue
		}
		for _, j := range b.jobs {
			out = append(out, pl.single[j])
		}
	}
	parted := len(out) > len(pl.bundles)
	pl.bundles = out
	return parted
}

// maxJoins bounds the rounds of joining.
const maxJoins = 6

func (pl *pool) assign(bundles []*bundle) assignment {
	links, alone := make([][]link, len(bundles)), make([]int64, len(bundles))
	for i, b := range bundles {
		links[i] = make([]link, len(b.options))
		for k, op := range b.options {
			links[i][k] = link{op.rider, op.cost}
		}
		alone[i] = b.alone
	}
	return assign(links, alone, len(pl.riders))
}

// join is a bundle that could take the place of two.
type join struct {
	a, b   int // indices of bundles, a under b
	joined *bundle
	saves  int64
	alone  int // 1 if neither has a courier, else 0
}

// joins proposes disjoint joins, best first: those whose reduced cost under
// the prices of the assignment is below zero, as in column generation.
func (pl *pool) joins(a assignment) []join {
	var found []join
	for _, at := range pl.pairs() {
		i, k := at[0], at[1]
		joined := pl.merged[pl.key(at)]
		if joined == nil {
			continue
		}
		least := joined.alone
		for _, op := range joined.options {
			least = min(least, op.cost-a.v[op.rider])
		}
		if saves := a.u[i] + a.u[k] - least; saves > 0 {
			j := join{a: i, b: k, joined: joined, saves: saves}
			if a.col[i] == none && a.col[k] == none {
				j.alone = 1
			}
			found = append(found, j)
		}
	}
	slices.SortFunc(found, func(x, y join) int {
		// Two without a courier have to win one first: they come last.
		return cmp.Or(cmp.Compare(x.alone, y.alone), cmp.Compare(y.saves, x.saves), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	used := make([]bool, len(pl.bundles))
	return slices.DeleteFunc(found, func(j join) bool {
		if used[j.a] || used[j.b] {
			return true
		}
		used[j.a], used[j.b] = true, true
		return false
	})
}

// pairs are the bundles that might be joined, by index, each tried once.
func (pl *pool) pairs() (all [][2]int) {
	byPlace := map[int][]int{}
	for i, b := range pl.bundles {
		byPlace[b.place] = append(byPlace[b.place], i)
	}
	var fresh [][2]int
	for i, b := range pl.bundles { // not over the map: its order is random
		for _, k := range pl.partners(i, byPlace[b.place]) {
			at := [2]int{i, k}
			if _, tried := pl.merged[pl.key(at)]; !tried {
				fresh = append(fresh, at)
			}
			all = append(all, at)
		}
	}
	joined := make([]*bundle, len(fresh))
	parallel(len(fresh), func() func(int) {
		p := newPricer(pl.o)
		return func(n int) { joined[n] = pl.join(pl.bundles[fresh[n][0]], pl.bundles[fresh[n][1]], p) }
	})
	for n, at := range fresh {
		if joined[n] != nil {
			pl.make(joined[n])
		}
		pl.merged[pl.key(at)] = joined[n]
	}
	return all
}

func (pl *pool) key(at [2]int) [2]int {
	return [2]int{pl.bundles[at[0]].serial, pl.bundles[at[1]].serial}
}

// partners are the later bundles at the place that a bundle may be joined
// with: those with the nearest drop-offs, at most maxPartners.
func (pl *pool) partners(i int, place []int) []int {
	b := pl.bundles[i]
	var out []int
	for _, k := range place {
		if k > i && len(b.jobs)+len(pl.bundles[k].jobs) <= pl.o.MaxBundle {
			out = append(out, k)
		}
	}
	if len(out) <= maxPartners {
		return out
	}
	apart := make(map[int]float64, len(out))
	for _, k := range out {
		d := math.Inf(1)
		for _, x := range b.jobs {
			for _, y := range pl.bundles[k].jobs {
				d = min(d, geo.Distance(x.Dropoff, y.Dropoff))
			}
		}
		apart[k] = d
	}
	slices.SortFunc(out, func(x, y int) int { return cmp.Or(cmp.Compare(apart[x], apart[y]), cmp.Compare(x, y)) })
	return out[:maxPartners]
}

const maxPartners = 8

// join makes one bundle of two, or nil where nobody could carry it.
func (pl *pool) join(a, b *bundle, p *pricer) *bundle {
	jobs := append(slices.Clone(a.jobs), b.jobs...)
	riders := pl.ridersOf(a, b, jobs)
	if len(riders) == 0 {
		return nil
	}
	jobs = pl.dropOrder(jobs, pl.riders[riders[0]].Vehicle)
	var options []option
	for _, r := range riders {
		if got, no := p.price(pl.riders[r], jobs); no.why == fine {
			options = append(options, newOption(r, got))
		}
	}
	if len(options) == 0 {
		return nil
	}
	sortOptions(options)
	return &bundle{jobs: jobs, options: options, alone: a.alone + b.alone, place: a.place}
}

// ridersOf picks couriers that may take all the jobs from the cheapest of
// both bundles, in turn.
func (pl *pool) ridersOf(a, b *bundle, jobs []*job) []int32 {
	var out []int32
	enough := (pl.o.MaxCandidates + 1) / 2 // there are many pairs to try
	for k := 0; k < max(len(a.options), len(b.options)) && len(out) < enough; k++ {
		for _, from := range []*bundle{a, b} {
			if k >= len(from.options) {
				continue
			}
			r := from.options[k].rider
			may := !slices.ContainsFunc(jobs, func(j *job) bool { return permits(pl.riders[r], j).why != fine })
			if may && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// dropOrder puts the jobs in the order of drop-offs that keeps customers
// waiting least, starting at the pickup when all are ready. It tries every
// order: there are at most maxBundle jobs.
func (pl *pool) dropOrder(jobs []*job, v geo.Vehicle) []*job {
	o := pl.o
	ready := time.Duration(0)
	for _, j := range jobs {
		ready = max(ready, j.pickup.open)
	}
	best, least := slices.Clone(jobs), math.Inf(1)
	order := slices.Clone(jobs)
	var visit func(k int, t time.Duration, at geo.Point, cost float64)
	visit = func(k int, t time.Duration, at geo.Point, cost float64) {
		if cost >= least {
			return
		}
		if k == len(order) {
			least = cost
			copy(best, order)
			return
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			j := order[k]
			ride := o.Router.Travel(at, j.Dropoff, v)
			hand := max(t+ride+o.DropoffService/2, j.dropoff.open)
			late := max(0, hand-max(j.dropoff.due, j.dropoff.best))
			visit(k+1, hand+o.DropoffService-o.DropoffService/2, j.Dropoff,
				cost+o.TravelWeight*o.kind(v).Travel*ride.Seconds()+o.WaitWeight*hand.Seconds()+o.LateWeight*late.Seconds())
			order[k], order[i] = order[i], order[k]
		}
	}
	visit(0, ready+o.PickupService-o.PickupService/2, jobs[0].Pickup, 0)
	return best
}

// replace is the list of bundles with some joined; the others keep their
// order.
func (pl *pool) replace(joins []join) []*bundle {
	out := slices.Clone(pl.bundles)
	for _, j := range joins {
		out[j.a], out[j.b] = j.joined, nil
	}
	return slices.DeleteFunc(out, func(b *bundle) bool { return b == nil })
}
