package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/tracking"
)

const period = "?from=2026-11-23T08:00:00Z&to=2026-11-23T08:30:00Z"

func TestReplayOfCouriersThinsTheirWays(t *testing.T) {
	s := newSite(t)
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for i := range 8 {
		s.trails.fixes = append(s.trails.fixes, tracking.Fix{
			Courier: "c1", Time: start.Add(time.Duration(2+4*i) * time.Second), Point: geo.Point{Lat: 52 + float64(i)/1000, Lng: 4 - float64(i)/1000},
		})
	}
	var page struct {
		Couriers []struct {
			ID, Name string
			Way      struct{ At, Lat, Lng []int }
		}
		Next string
	}
	decode(t, s.do(request{path: "/v1/replay/couriers" + period + "&step=10", as: "viewer"}), &page)
	if len(page.Couriers) != 1 || page.Couriers[0].Name != "Mia Berg" {
		t.Fatalf("got %+v", page)
	}
	// One each 12 s, since they come each 4, and the last.
	got, want := fmt.Sprint(page.Couriers[0].Way), "{[2 12 12 4] [5200000 300 300 100] [400000 -300 -300 -100]}"
	if got != want {
		t.Errorf("the way is %s, want %s", got, want)
	}
	if want := "[c1 11-23 08:00 11-23 08:30]"; fmt.Sprint(s.trails.asked) != want {
		t.Errorf("asked for %v", s.trails.asked)
	}
	s.company.duties = []dispatch.DutyChange{{Duty: dispatch.Available, At: start.Add(-time.Hour)}, {Duty: dispatch.Break, At: start.Add(10 * time.Minute)}}
	if w := s.do(request{path: "/v1/replay/couriers" + period, as: "viewer"}); !strings.Contains(w.Body.String(), `"duty":[{"at":-3600,"duty":"available"},{"at":600,"duty":"break"}]`) {
		t.Errorf("duties: %s", w.Body)
	}
	s.trails.fixes = []tracking.Fix{}
	decode(t, s.do(request{path: "/v1/replay/couriers" + period, as: "viewer"}), &page)
	if len(page.Couriers) != 0 {
		t.Errorf("who was not there: %+v", page.Couriers)
	}
}

func TestReplayOfOrdersTellsWhoHadThemWhen(t *testing.T) {
	s := newSite(t)
	e := func(minute int, kind dispatch.EventType, status dispatch.Status, courier string) dispatch.Event {
		return dispatch.Event{Type: kind, Status: status, Time: now().Add(time.Duration(minute) * time.Minute), Data: dispatch.EventData{Courier: courier}}
	}
	s.company.events = []dispatch.Event{
		e(-40, "placed", "placed", ""), e(-39, "searching", "searching", ""), e(-38, "offered", "offered", "a"),
		e(-37, "declined", "searching", "a"), e(-36, "pinned", "searching", "c"), e(-35, "offered", "offered", "b"), e(-34, "assigned", "assigned", "b"),
		e(-20, "picked_up", "picked_up", ""), e(-5, "delivered", "delivered", ""),
	}
	var page struct {
		Orders []struct {
			ID    string
			Steps []struct {
				At      int
				Status  string
				Courier string
			}
		}
	}
	decode(t, s.do(request{path: "/v1/replay/orders" + period + "&limit=500", as: "viewer"}), &page)
	if len(page.Orders) != 1 || s.company.query.Limit != 500 {
		t.Fatalf("got %+v, asked for %+v", page, s.company.query)
	}
	want := "[{-600 placed } {-540 searching } {-480 offered a} {-420 searching } {-300 offered b} {-240 assigned b} {600 picked_up b} {1500 delivered b}]"
	if got := fmt.Sprint(page.Orders[0].Steps); got != want {
		t.Errorf("the steps are\n%s, want\n%s", got, want)
	}
}

func TestReplayIsOfAPeriod(t *testing.T) {
	s := newSite(t)
	for query, wrong := range map[string]string{
		"":                           "from",
		"?from=2026-11-23T08:00:00Z": "to",
		"?from=yesterday&to=today":   "from",
		period + "&step=0":           "step",
		period + "&limit=501":        "limit",
		"?to=2026-11-23T08:00:00Z&from=2026-11-23T08:00:00Z": "to",
		"?from=2026-11-23T08:00:00Z&to=2026-11-23T09:00:01Z": "to",
	} {
		p := s.want(request{path: "/v1/replay/couriers" + query, as: "viewer"}, 422, "invalid")
		if len(p.Errors) == 0 || p.Errors[0].Field != wrong && p.Errors[len(p.Errors)-1].Field != wrong {
			t.Errorf("%s: %v, want %s", query, p.Errors, wrong)
		}
	}
	s.want(request{path: "/v1/replay/orders?from=2026-11-23T00:00:00Z&to=2026-11-26T00:00:00Z", as: "viewer"}, 422, "invalid")
}
