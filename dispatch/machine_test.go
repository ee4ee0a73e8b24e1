package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func everyEvent() []EventType {
	return []EventType{
		EventSearching, EventOffered, EventDeclined, EventExpired, EventWithdrawn, EventAssigned, EventUnassigned,
		EventPinned, EventAtPickup, EventPickedUp, EventAtDropoff, EventDelivered, EventFailed, EventReturned,
		EventCancelled, EventUnassignable,
	}
}

func orderIn(s Status) Order {
	o, _ := Order{ID: "o1", Merchant: "m1", Size: 1}.Place(Actor{Role: RoleMerchant, ID: "m1"}, noon)
	o.Status = s
	switch s {
	case Offered:
		o.Offer = "of1"
	case Assigned, AtPickup, PickedUp, AtDropoff:
		o.Courier = "c1"
	case Failed:
		o.Times[PickedUp] = noon // else it has ended
	}
	return o
}

// The whole machine, status by status: which events lead where. A pair that
// is not here is refused.
func TestEveryStepOfTheMachine(t *testing.T) {
	ways := map[Status]map[EventType]Status{
		Placed: {
			EventSearching: Searching, EventOffered: Offered, EventAssigned: Assigned, EventPinned: Placed,
			EventCancelled: Cancelled, EventUnassignable: Unassignable,
		},
		Searching: {
			EventOffered: Offered, EventAssigned: Assigned, EventPinned: Searching,
			EventCancelled: Cancelled, EventUnassignable: Unassignable,
		},
		Offered: {
			EventDeclined: Searching, EventExpired: Searching, EventWithdrawn: Searching, EventAssigned: Assigned,
			EventPinned: Offered, EventCancelled: Cancelled,
		},
		Assigned: {
			EventUnassigned: Searching, EventPinned: Assigned, EventAtPickup: AtPickup, EventPickedUp: PickedUp,
			EventFailed: Failed, EventCancelled: Cancelled,
		},
		AtPickup: {
			EventUnassigned: Searching, EventPinned: AtPickup, EventPickedUp: PickedUp,
			EventFailed: Failed, EventCancelled: Cancelled,
		},
		PickedUp:  {EventAtDropoff: AtDropoff, EventDelivered: Delivered, EventFailed: Failed},
		AtDropoff: {EventDelivered: Delivered, EventFailed: Failed},
		Failed:    {EventReturned: Returned},
		Unassignable: {
			EventSearching: Searching, EventOffered: Offered, EventAssigned: Assigned, EventPinned: Unassignable,
			EventCancelled: Cancelled,
		},
	}
	for _, from := range Statuses() {
		for _, event := range everyEvent() {
			t.Run(fmt.Sprintf("%s/%s", from, event), func(t *testing.T) {
				o := orderIn(from)
				got, events, err := o.Apply(Command{Type: event, Courier: "c1", Offer: "of2"}, noon)
				want, legal := ways[from][event]
				if !legal {
					if !errors.Is(err, ErrConflict) || got.Status != from || got.Version != o.Version || events != nil {
						t.Fatalf("want a refusal that changes nothing, got %s, %v, %v", got.Status, events, err)
					}
					return
				}
				if err != nil || got.Status != want {
					t.Fatalf("got %s, %v, want %s", got.Status, err, want)
				}
				if last := events[len(events)-1]; last.Type != event || last.Version != got.Version || last.Status != want {
					t.Fatalf("the last event is %+v", last)
				}
			})
		}
	}
}

// Whatever is asked of an order, its events count on without a gap, the last
// one tells its status, and what is terminal stays so.
func TestEventsAreGapless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, history := Order{ID: "o1", PINRequired: rapid.Bool().Draw(t, "pin_required"), PIN: "4711"}.Place(Actor{}, noon)
		now := noon
		for _, event := range rapid.SliceOfN(rapid.SampledFrom(everyEvent()), 1, 40).Draw(t, "events") {
			now = now.Add(time.Minute)
			wasTerminal, before := o.Terminal(), o.Version
			next, events, err := o.Apply(Command{
				Type: event, Offer: "of", Courier: rapid.SampledFrom([]string{"c1", "c2"}).Draw(t, "courier"),
				PIN: rapid.SampledFrom([]string{"", "4711", "0000"}).Draw(t, "pin"),
			}, now)
			if err != nil {
				if next.Version != before {
					t.Fatalf("a refused %s moved the version", event)
				}
				continue
			}
			if wasTerminal {
				t.Fatalf("%s happened to an order that had ended as %s", event, o.Status)
			}
			history, o = append(history, events...), next
		}
		for i, e := range history {
			if e.Version != int64(i)+1 {
				t.Fatalf("event %d has version %d", i+1, e.Version)
			}
		}
		if last := history[len(history)-1]; last.Version != o.Version || last.Status != o.Status {
			t.Fatalf("the last event is %+v, the order %s at %d", last, o.Status, o.Version)
		}
		if o.Status == Delivered && o.PINRequired && !o.Proof.PIN {
			t.Fatal("delivered without its PIN")
		}
		withCourier := []Status{Assigned, AtPickup, PickedUp, AtDropoff}
		if slices.Contains(withCourier, o.Status) != (o.Courier != "") && !slices.Contains([]Status{Delivered, Failed, Returned, Cancelled}, o.Status) {
			t.Fatalf("%s with courier %q", o.Status, o.Courier)
		}
		if (o.Status == Offered) != (o.Offer != "") {
			t.Fatalf("%s with offer %q", o.Status, o.Offer)
		}
	})
}

func TestNothingReturnsThatWasNeverPickedUp(t *testing.T) {
	o := orderIn(Failed)
	delete(o.Times, PickedUp)
	if _, _, err := o.Apply(Command{Type: EventReturned}, noon); !errors.Is(err, ErrConflict) {
		t.Fatalf("got %v", err)
	}
}

func TestApplyLeavesTheGivenOrderAlone(t *testing.T) {
	o := orderIn(Offered)
	if _, _, err := o.Apply(Command{Type: EventDeclined, Courier: "c1", Until: noon.Add(time.Hour)}, noon); err != nil {
		t.Fatal(err)
	}
	if o.Status != Offered || len(o.Refusals) != 0 || len(o.Times) != 1 {
		t.Fatalf("the order that was passed in has changed: %+v", o)
	}
}

func TestPIN(t *testing.T) {
	for name, tt := range map[string]struct {
		needed bool
		given  string
		ok     bool
	}{
		"right":      {true, "4711", true},
		"wrong":      {true, "4712", false},
		"missing":    {true, "", false},
		"not needed": {false, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			o := orderIn(AtDropoff)
			o.PINRequired, o.PIN = tt.needed, "4711"
			_, _, err := o.Apply(Command{Type: EventDelivered, PIN: tt.given}, noon)
			var invalid *Invalid
			if tt.ok != (err == nil) || (!tt.ok && !errors.As(err, &invalid)) {
				t.Fatalf("got %v", err)
			}
		})
	}
}
