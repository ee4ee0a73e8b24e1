package match

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// telling says why each order of a round was left as it was.
type telling struct {
	now    time.Time
	o      *Options
	riders []*rider
	p      *plan
	in     map[*job]*stage // the first work that a job is in
}

func newTelling(w *round, p *plan) *telling {
	t := &telling{now: w.s.Now, o: w.o, riders: w.riders, p: p, in: map[*job]*stage{}}
	for _, st := range p.stages {
		if st == nil {
			continue
		}
		for _, j := range st.jobs {
			t.in[j] = st
		}
	}
	return t
}

func (t *telling) decision(j *job) Decision {
	d := Decision{Order: j.ID, Round: t.now, Outcome: OutcomeWaiting, Candidates: []Candidate{}}
	switch {
	case j.nowhere:
		d.Why = "its pickup or drop-off is no place on Earth"
		return d
	case j.asleep:
		d.Why = j.early()
		return d
	}
	b := t.in[j]
	if r, ok := t.p.behind[j]; ok {
		t.addOptions(&d, j.options, nil, false)
		t.addRefused(&d, j)
		d.Why = "planned for courier " + t.riders[r].ID + " after order " + t.p.stages[r].jobs[0].ID
		return d
	}
	if b == nil && len(j.options) == 0 {
		t.addRefused(&d, j)
		d.Why = t.nobody(j)
		return d
	}
	if b == nil {
		t.addOptions(&d, j.options, nil, false)
		t.addRefused(&d, j)
		d.Why = t.outbid(j)
		if f, ok := t.p.fell[j]; ok {
			d.Why = "courier " + t.riders[f.rider].ID + " was found for it and cannot take it as planned: " + f.String()
		}
		return d
	}
	chosen := b.chosen
	t.addOptions(&d, b.options, &chosen, b.given)
	t.addRefused(&d, j)
	if !b.given {
		d.Why = t.held(j, chosen)
		return d
	}
	d.Outcome, d.Courier = OutcomeAssigned, t.riders[chosen.rider].ID
	d.Cost, d.Parts = seconds(chosen.cost), chosen.Parts
	if len(b.jobs) > 1 {
		for _, j := range b.jobs {
			d.Bundle = append(d.Bundle, j.ID)
		}
	}
	switch rank := slices.IndexFunc(b.options, func(op option) bool { return op.rider == chosen.rider }); {
	case len(b.options) == 1:
		d.Why = "the only candidate"
	case rank == 0:
		d.Why = fmt.Sprintf("cheapest of %d candidates", len(b.options))
	default:
		d.Why = fmt.Sprintf("cheapest for all orders together; %d of %d candidates cost less but are given to others", rank, len(b.options))
	}
	return d
}

// early says why a job that need not be picked up yet waits.
func (j *job) early() string {
	if j.pickup.open < j.ready {
		return "to be picked up in " + inWords(j.ready) + ": waiting costs nothing"
	}
	return "ready in " + inWords(j.ready) + ": waiting costs nothing"
}

// addOptions lists who could take the work, cheapest first.
func (t *telling) addOptions(d *Decision, options []option, chosen *option, given bool) {
	for _, op := range options {
		is := chosen != nil && op.rider == chosen.rider
		if len(d.Candidates) >= t.o.MaxExplained && !is {
			continue // the chosen one is told of wherever it stands
		}
		c := Candidate{Courier: t.riders[op.rider].ID, Cost: seconds(op.cost), Parts: op.Parts}
		other := t.p.stages[op.rider]
		switch {
		case is && given:
			c.Chosen = true
		case is:
			c.Why = "best so far, need not set out yet"
		case chosen != nil && op.cost > chosen.cost:
			c.Why = fmt.Sprintf("costs %.0f s more", seconds(op.cost-chosen.cost))
		case other != nil:
			c.Why = "given to order " + other.jobs[0].ID + ", which saves more"
		case chosen != nil:
			c.Why = "costs the same"
		default:
			c.Why = "costs more than waiting for a later round"
		}
		if len(d.Candidates) >= t.o.MaxExplained {
			d.Candidates[t.o.MaxExplained-1] = c
		} else {
			d.Candidates = append(d.Candidates, c)
		}
	}
}

// addRefused lists who could not, as far as there is room. Who cannot take the
// job alone, but can with others, is listed already.
func (t *telling) addRefused(d *Decision, j *job) {
	listed := d.Candidates
	for _, l := range j.looked {
		if len(d.Candidates) >= t.o.MaxExplained {
			return
		}
		if slices.ContainsFunc(listed, func(c Candidate) bool { return c.Courier == t.riders[l.rider].ID }) {
			continue
		}
		d.Candidates = append(d.Candidates, Candidate{Courier: t.riders[l.rider].ID, Why: l.refusal.String()})
	}
}

// nobody says why no courier could take the job.
func (t *telling) nobody(j *job) string {
	total, kinds := 0, []string(nil)
	last := fine
	for r := fine + 1; r < reasons; r++ {
		if n := j.refused[r]; n > 0 {
			total += n
			last = r
			kinds = append(kinds, fmt.Sprintf("%d %s", n, r.said(n, j.lacking)))
		}
	}
	switch {
	case total == 0 && j.Pinned != "":
		return "pinned to a courier who is not on duty"
	case j.Pinned != "":
		return "the courier it is pinned to cannot take it: " + j.looked[0].refusal.String()
	case total == 0:
		return fmt.Sprintf("no courier on duty within %.3g km", t.o.MaxRadius/1000)
	case len(kinds) > 1:
		return fmt.Sprintf("none of the %d couriers near can take it: %s", total, strings.Join(kinds, ", "))
	case total == 1:
		return "the only courier near " + last.said(1, j.lacking)
	}
	return fmt.Sprintf("all %d couriers near %s", total, last.said(total, j.lacking))
}

// outbid says why a job with options got none of them.
func (t *telling) outbid(j *job) string {
	taken := 0
	for _, op := range j.options {
		if t.p.stages[op.rider] != nil {
			taken++
		}
	}
	switch {
	case taken < len(j.options) && j.ready > 0:
		return j.early()
	case taken < len(j.options) && t.p.voted:
		return "left for a later round: couriers are planned for other orders, or kept for those that are likely to come"
	case taken < len(j.options):
		return "leaving it for a later round costs less than any plan that was found"
	case taken == 1:
		return "the only courier who can take it is given to another order"
	}
	return fmt.Sprintf("all %d couriers who can take it are given to other orders", taken)
}

// held says why a job that has a courier is not given out yet.
func (t *telling) held(j *job, chosen option) string {
	switch r := t.riders[chosen.rider]; {
	case r.off:
		return "kept for courier " + r.ID + ", on duty in " + inWords(r.begin)
	case t.o.OneTask && len(r.nodes) > 0:
		return "kept for courier " + r.ID + ", who is busy until then"
	case chosen.setOut <= t.o.CommitAhead:
		return "a courier is kept for orders that are likely to come"
	}
	if j.ready > 0 && len(t.riders[chosen.rider].nodes) == 0 {
		return j.early()
	}
	return "its best courier sets out for it in " + inWords(chosen.setOut) + ": waiting costs nothing"
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }
