package sim

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"courier/internal/sim/client"
)

// Links are ways to look over the shoulder of someone in the simulation.
// Fields are empty while there is nobody.
type Links struct {
	CourierID    string
	CourierName  string
	CourierToken string // the simulated courier's own: look, and do not sign it out
	OrderID      string
	OrderStatus  string
	TrackSecret  string
	TrackURL     string
}

type door struct {
	link   client.Link
	status string
}

type badge struct{ name, token string }

// Links picks a signed-in courier and an open tracking link, one whose order
// is as far on its way as there is.
func (s *Sim) Links() Links {
	s.mu.Lock()
	defer s.mu.Unlock()
	var l Links
	if ids := slices.Sorted(maps.Keys(s.badges)); len(ids) > 0 {
		b := s.badges[ids[0]]
		l.CourierID, l.CourierName, l.CourierToken = ids[0], b.name, b.token
	}
	rank := map[string]int{"searching": 1, "assigned": 2, "at_pickup": 3, "at_dropoff": 4, "picked_up": 5}
	ids := slices.SortedFunc(maps.Keys(s.doors), func(a, b string) int {
		return cmp.Or(rank[s.doors[b].status]-rank[s.doors[a].status], cmp.Compare(a, b))
	})
	if len(ids) > 0 {
		d := s.doors[ids[0]]
		l.OrderID, l.OrderStatus, l.TrackSecret, l.TrackURL = ids[0], d.status, d.link.Secret, d.link.URL
	}
	return l
}

// SignInCode makes a code with which a person takes over a courier: the
// simulated one is signed out by it and leaves the courier alone from then
// on. It returns the courier and the code.
func (s *Sim) SignInCode(ctx context.Context) (courier, code string, err error) {
	s.mu.Lock()
	ids := slices.Sorted(maps.Keys(s.badges))
	s.mu.Unlock()
	if len(ids) == 0 {
		return "", "", errors.New("no courier has signed in yet")
	}
	courier = ids[len(ids)-1]
	code, err = s.client.SignInCode(ctx, s.c.AdminToken, courier)
	return courier, code, err
}

func (s *Sim) courierSignedIn(id, name, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.badges[id] = badge{name, token}
}

func (s *Sim) courierGone(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.badges, id)
}

func (s *Sim) linkOpened(order string, l client.Link) {
	s.figures.watching.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doors[order] = door{link: l}
}

func (s *Sim) linkStatus(order, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.doors[order]
	d.status = status
	s.doors[order] = d
}

func (s *Sim) linkClosed(order string) {
	s.figures.watching.Add(-1)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.doors, order)
}
