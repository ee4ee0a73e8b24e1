package match

import (
	"math"
	"testing"
	"time"
)

// undecided is an order that leads the only courier away from where most of
// the last hour's came from: whether it starts hangs on what is drawn, and
// most futures have it wait.
func undecided() (Snapshot, Options) {
	o := DefaultOptions()
	o.TravelWeight, o.StandWeight, o.LateWeight, o.Patience = 0, 0, 0, 4*time.Hour
	o.Futures.Count, o.Futures.Weight = 1, 1
	s := Snapshot{Now: noon, Couriers: []Courier{courier("c", 0)}, Orders: []Order{order("away", 0, 4000)}}
	for i := range 6 {
		placed := noon.Add(time.Duration(-i*9) * time.Minute)
		s.Past = append(s.Past, Demand{Placed: placed, Ready: placed, Pickup: s.Orders[0].Pickup, Dropoff: order("near", 0, 100).Dropoff, Size: 1})
	}
	return s, o
}

// rounds matches up to so many times, every so often, and says after how many
// rounds the order was given out; 0: never.
func rounds(s Snapshot, o Options, seed uint64, every time.Duration, most int) int {
	for n := range most {
		s.Seed = seed + uint64(n)
		r := Solve(s, o)
		if len(r.Assignments) > 0 {
			return n + 1
		}
		s.Now, s.Last, s.Votes = s.Now.Add(every), r.Intents, r.Votes
		for i := range s.Past { // the hour goes on as it was
			s.Past[i].Placed, s.Past[i].Ready = s.Past[i].Placed.Add(every), s.Past[i].Ready.Add(every)
		}
		s.Orders[0].Placed, s.Orders[0].Ready = s.Now, s.Now
	}
	return 0
}

// What most futures have wait is started by one of many rounds, unless the
// rounds decide together.
func TestRoundsDecideTogether(t *testing.T) {
	const days, most = 20, 40
	started := map[time.Duration]int{}
	for _, memory := range []time.Duration{0, time.Hour} {
		for day := range uint64(days) {
			s, o := undecided()
			o.Futures.Memory = memory
			if rounds(s, o, 1000*day, time.Second, most) > 0 {
				started[memory]++
			}
		}
	}
	if started[0] != days || started[time.Hour] == 0 || started[time.Hour] > days*3/4 {
		t.Errorf("of %d days %d start it where each round decides by itself, %d where they do together", days, started[0], started[time.Hour])
	}
}

// Votes fade: what was said long ago is as good as not said.
func TestVotesFade(t *testing.T) {
	s, o := undecided()
	o.Futures.Count, o.Futures.Memory = 4, 10*time.Second
	o.Futures.Weight = 0 // nothing that may come matters: all futures start it
	for age, want := range map[time.Duration]int{0: 0, 10 * time.Second: 0, 30 * time.Second: 1, time.Hour: 1} {
		s.Votes = []Vote{{Order: "away", At: s.Now.Add(-age), Start: 0, All: 40}, {Order: "gone", At: s.Now, All: 40}}
		r := Solve(s, o)
		if len(r.Assignments) != want {
			t.Errorf("%v after 40 votes against 4 for it: %d assignments, want %d", age, len(r.Assignments), want)
		}
		for _, v := range r.Votes {
			if v.Order != "away" || !v.At.Equal(s.Now) || v.Start != 4 || math.Abs(v.All-4-40*math.Exp(-age.Seconds()/10)) > 1e-9 {
				t.Errorf("%v later the votes are %+v", age, v)
			}
		}
		if len(r.Votes) != 1 {
			t.Errorf("%d votes", len(r.Votes))
		}
	}
	s.Couriers[0].Closed = true // nobody to vote for
	s.Votes = []Vote{{Order: "gone", At: s.Now, All: 40}, {Order: "away", At: s.Now.Add(-time.Second), Start: 3, All: 40}}
	if r := Solve(s, o); len(r.Votes) != 1 || r.Votes[0] != s.Votes[1] {
		t.Errorf("a round that has not voted passes on %+v", r.Votes)
	}
	s.Couriers[0].Closed = false
	for _, v := range []Vote{{All: math.NaN()}, {All: 40, Start: math.NaN()}, {All: math.Inf(1)}, {All: -40, Start: -1}, {All: 40, Start: 50}} {
		v.Order, v.At = "away", s.Now
		s.Votes = []Vote{v}
		if r := Solve(s, o); len(r.Assignments) != 1 {
			t.Errorf("%+v: %d assignments", v, len(r.Assignments))
		}
	}
}

// An order that nobody doubts is given out once it is due, however many rounds
// have seen it while it was too early: they were not asked.
func TestRoundsThatAreTooEarlyDoNotVote(t *testing.T) {
	s, o := undecided()
	o.Futures.Count, o.Futures.Weight, o.CommitAhead = 4, 0, 10*time.Second
	o.Futures.Memory = time.Hour
	s.Orders[0].Ready = s.Now.Add(2 * time.Minute)
	for early := range 120 {
		s.Seed = uint64(early)
		r := Solve(s, o)
		sets := s.Orders[0].Ready.Add(-o.PickupService / 2).Sub(s.Now) // the courier stands at the door
		if due := sets <= o.CommitAhead; due != (len(r.Assignments) == 1) {
			t.Fatalf("%v before the courier has to set out: %d assignments, votes %+v", sets, len(r.Assignments), r.Votes)
		} else if due {
			return
		}
		if len(r.Votes) != 0 {
			t.Fatalf("%v before the courier has to set out it is voted %+v", sets, r.Votes)
		}
		s.Now, s.Last, s.Votes = s.Now.Add(2*time.Second), r.Intents, r.Votes
	}
	t.Error("never given out")
}

// A round that has nothing to start does without futures for as long as the
// last vote counts: rounds every second or two cost a fraction.
func TestARoundThatStartsNothingTakesTheLastVote(t *testing.T) {
	s, o := undecided()
	o.Futures.Count, o.Futures.Memory, o.CommitAhead = 4, 30*time.Second, 0
	s.Orders[0].Ready = s.Now.Add(20 * time.Minute)
	searched := func(votes ...Vote) (times int) {
		o.Stop = func() bool { times++; return false }
		s.Votes = votes
		Solve(s, o)
		return times
	}
	all := searched()
	for _, v := range []struct {
		vote  Vote
		fresh bool
	}{
		{Vote{All: 4, At: s.Now}, true},
		{Vote{All: 4, At: s.Now.Add(-59 * time.Second)}, true},
		{Vote{All: 4, At: s.Now.Add(-60 * time.Second)}, false},
		{Vote{All: 4, At: s.Now.Add(time.Second)}, false},
		{Vote{All: math.NaN(), At: s.Now}, false},
	} {
		v.vote.Order = "away"
		if times := searched(v.vote); v.fresh != (times < all/2) {
			t.Errorf("searched %d times after %+v, %d after none", times, v.vote, all)
		}
	}
	s.Orders[0].Ready = s.Now // starts now
	if times := searched(Vote{Order: "away", All: 4, At: s.Now}); times < all {
		t.Errorf("what starts now is put to no vote: searched %d times, not %d", times, all)
	}
}
