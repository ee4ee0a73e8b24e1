package ws

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
	"courier/tracking"
)

// maxDevices is how many sockets one session of a courier may have: a phone
// that came back before its last connection was noticed to be dead, and a
// tablet beside it.
const maxDevices = 4

// couriers are the sockets of this node, by courier: of the newest session
// only, oldest first.
type couriers struct {
	mu   sync.Mutex
	byID map[string][]*courierSession
}

// get returns a courier's sockets; they are not to be changed.
func (c *couriers) get(id string) []*courierSession {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

func (c *couriers) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byID)
}

// put returns the sockets that s replaces: those of older sessions, and the
// oldest when there are too many. False: s itself is of an older session.
func (c *couriers) put(s *courierSession) (replaced []*courierSession, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var stay []*courierSession
	for _, other := range c.byID[s.id] {
		switch {
		case other.epoch > s.epoch:
			return nil, false
		case other.epoch < s.epoch:
			replaced = append(replaced, other)
		default:
			stay = append(stay, other)
		}
	}
	if len(stay) == maxDevices {
		replaced, stay = append(replaced, stay[0]), stay[1:]
	}
	c.byID[s.id] = append(stay, s)
	return replaced, true
}

func (c *couriers) drop(s *courierSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stay := slices.DeleteFunc(slices.Clone(c.byID[s.id]), func(other *courierSession) bool { return other == s })
	if c.byID[s.id] = stay; len(stay) == 0 {
		delete(c.byID, s.id)
	}
}

// all returns the sockets by courier id.
func (c *couriers) all() map[string][]*courierSession {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.byID)
}

// courierSession is one courier's socket. Actions are taken one after the
// other, in the order of their frames; what others change comes by task.
type courierSession struct {
	hub   *Hub
	conn  *conn
	id    string
	epoch int64
	task  task
	steps steps

	mu      sync.Mutex // held while reading state and sending what is new
	live    bool       // resumed
	watched bool
	sent    courierSent
	fences  []tracking.Fence
	did     map[string]bool // orders that this device ended, while the plan still has them
}

// courierSent is what the client has been told.
type courierSent struct {
	dispatch.Courier
	offer string
}

func newCourierSession(h *Hub, c *conn, id auth.Identity) *courierSession {
	s := &courierSession{hub: h, conn: c, id: id.ID, epoch: id.Epoch, did: map[string]bool{}}
	s.task = task{run: func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, h.CallTimeout)
		defer cancel()
		if err := s.refresh(ctx); err != nil {
			s.failed(ctx, err)
		}
	}}
	return s
}

// failed deals with a refresh that could not be done: the sweeper tries
// again, unless the session is over.
func (s *courierSession) failed(ctx context.Context, err error) {
	var why *closeError
	if errors.As(err, &why) {
		s.conn.close(why.code, why.fault, why.detail)
		return
	}
	if ctx.Err() == nil {
		s.hub.Log.LogAttrs(ctx, slog.LevelWarn, "courier not refreshed", slog.String("courier_id", s.id), slog.Any("err", err))
	}
}

func (s *courierSession) newest(ctx context.Context) (int64, error) {
	c, _, err := s.hub.Service.CourierState(ctx, s.id)
	if err != nil {
		return 0, err
	}
	if err := s.over(c); err != nil {
		return 0, err
	}
	return c.Version, nil
}

func (s *courierSession) resume(ctx context.Context, seq int64) error {
	replaced, ok := s.hub.couriers.put(s)
	if !ok {
		return errElsewhere
	}
	for _, other := range replaced {
		other.conn.close(errElsewhere.code, errElsewhere.fault, errElsewhere.detail)
	}
	s.watched = true
	s.hub.wait(ctx, s.hub.interest.addKey(s.id))
	s.mu.Lock()
	defer s.mu.Unlock()
	c, open, err := s.hub.Service.CourierState(ctx, s.id)
	if err != nil {
		return err
	}
	if err := s.over(c); err != nil {
		return err
	}
	if seq != c.Version { // also when it is ahead, as after a restored backup
		frames := []seqFrame{s.planFrame(c, open)}
		if open != nil {
			frames = append(frames, &offer{Type: "offer", Offer: *open})
		}
		s.send(frames, min(seq, c.Version-1), c.Version)
	}
	s.live = true
	s.remember(c, open)
	return nil
}

// over says why the session is no longer the courier's; nil: it is.
func (s *courierSession) over(c dispatch.Courier) error {
	switch {
	case c.Epoch <= s.epoch:
		return nil
	case c.Revoked:
		return errRevoked
	}
	return errElsewhere
}

func (s *courierSession) end() {
	s.steps.end()
	s.hub.couriers.drop(s)
	if s.watched {
		s.hub.interest.dropKey(s.id)
	}
}

func (s *courierSession) revoked(reason string) {
	why := errRevoked
	if reason == "expired" {
		why = errExpired
	}
	s.conn.close(why.code, why.fault, why.detail)
}

func (s *courierSession) receive(ctx context.Context, frame any) error {
	switch f := frame.(type) {
	case *fixesIn:
		return s.fixes(ctx, f)
	case actor:
		s.conn.tell() // it may take its time
		s.step(ctx, func(ctx context.Context) error { return s.act(ctx, f) })
		return nil
	}
	return &closeError{codeBadFrame, "invalid", "auth and resume come once"}
}

// step has something done that is to be committed.
func (s *courierSession) step(ctx context.Context, do func(context.Context) error) {
	s.steps.take(func() {
		ctx, cancel := context.WithTimeout(ctx, s.hub.CallTimeout)
		defer cancel()
		if err := do(ctx); err != nil {
			s.failed(ctx, err)
		}
	})
}

func (s *courierSession) act(ctx context.Context, f actor) error {
	action := f.action()
	ctx, span := s.hub.actAs(ctx, action)
	defer span.End()
	err := s.hub.Service.Act(ctx, s.id, s.epoch, f.clientID(), action)
	if errors.Is(err, dispatch.ErrStaleSession) {
		return errElsewhere
	}
	a := &ack{ID: f.clientID()}
	if action.Order != "" && (errors.Is(err, dispatch.ErrConflict) || errors.Is(err, dispatch.ErrNotFound)) {
		if o, err := s.hub.Service.Order(ctx, dispatch.Scope{}, action.Order); err == nil {
			a.By, _ = s.changed(ctx, o, false)
		}
	}
	s.answer(ctx, a, err)
	if err != nil {
		return nil
	}
	if action.Type == dispatch.ActComplete {
		s.mu.Lock()
		s.did[action.Order] = true
		s.mu.Unlock()
	}
	// What follows in the same burst must find the new duty and plan.
	if err := s.refresh(ctx); err != nil {
		s.failed(ctx, err)
	}
	return nil
}

func (s *courierSession) answer(ctx context.Context, a *ack, err error) {
	a.Type, a.OK = "ack", err == nil
	if err != nil {
		var ours bool
		if a.Code, a.Detail, ours = faultOf(err); ours {
			s.hub.Log.LogAttrs(ctx, slog.LevelError, "courier frame failed", slog.String("courier_id", s.id), slog.Any("err", err))
		}
	}
	s.hub.push(s.conn, a)
}

func (s *courierSession) fixes(ctx context.Context, f *fixesIn) error {
	s.mu.Lock()
	off, fences := s.sent.Duty == dispatch.Off, s.fences
	s.mu.Unlock()
	if off {
		s.hub.count.offDuty.Add(uint64(len(f.Fixes)))
		result := tracking.Result{Rejected: make([]tracking.Rejection, len(f.Fixes))}
		for i := range f.Fixes {
			result.Rejected[i] = tracking.Rejection{Index: i, Reason: tracking.OffDuty}
		}
		s.taken(ctx, f.ID, result, nil)
		return nil
	}
	// No timeout of ours: the tracker takes fixes into memory, asks its index
	// only for couriers new to it, and this is the busiest line of the package.
	ctx, span := s.hub.followFixes(ctx, s.id, len(f.Fixes))
	defer span.End()
	result, err := s.hub.Tracker.Ingest(ctx, s.id, f.Fixes, fences)
	s.taken(ctx, f.ID, result, err)
	for _, fence := range result.Entered {
		s.step(ctx, func(ctx context.Context) error { s.arrived(ctx, fence); return nil })
	}
	return nil
}

// taken answers a frame of fixes.
func (s *courierSession) taken(ctx context.Context, id string, r tracking.Result, err error) {
	if err != nil {
		s.answer(ctx, &ack{ID: id}, err)
		return
	}
	if f, ok := fastAck(id, r); ok {
		s.conn.pushPatient(f)
		return
	}
	s.answer(ctx, &ack{ID: id, Accepted: &r.Accepted, Late: r.Late, Rejected: r.Rejected}, nil)
}

func (s *courierSession) arrived(ctx context.Context, fence string) {
	order, kind := stopOf(fence)
	if err := s.hub.Service.GeofenceArrive(ctx, s.id, order, kind); err != nil {
		// The courier can still report it, and the next fix may enter again.
		s.hub.Log.LogAttrs(ctx, slog.LevelWarn, "geofence arrival not recorded",
			slog.String("courier_id", s.id), slog.String("order_id", order), slog.Any("err", err))
		return
	}
	if err := s.refresh(ctx); err != nil {
		s.failed(ctx, err)
	}
}

// fencesOf are the places that the courier may arrive at next: the first
// stop that it has not reached, and those at the same door.
func fencesOf(p dispatch.Plan, radius float64) []tracking.Fence {
	if radius < 0 {
		return nil
	}
	var fences []tracking.Fence
	for _, stop := range p.Stops {
		if stop.ArrivedAt != nil {
			continue
		}
		if len(fences) > 0 && geo.Distance(fences[0].At, stop.Point) > radius {
			break
		}
		fences = append(fences, tracking.Fence{ID: stop.Order + "/" + string(stop.Kind), At: stop.Point, Radius: radius})
	}
	return fences
}
