package ws

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"courier/dispatch"
	"courier/internal/auth"
)

// session is an authenticated connection of one kind. Its methods are called
// by the connection's reader, one at a time, but for revoked.
type session interface {
	// newest is the seq for welcome.
	newest(ctx context.Context) (int64, error)
	// resume sends what came after seq and then whatever comes.
	resume(ctx context.Context, seq int64) error
	// receive takes a frame after resume.
	receive(ctx context.Context, frame any) error
	// end is called once, whatever else was.
	end()
	// revoked ends the session from outside: the reason is revoked, or
	// expired.
	revoked(reason string)
}

// decoders by kind. They are pure.
func decode(kind Kind, data []byte) (any, error) {
	switch kind {
	case KindCourier:
		return decodeCourier(data)
	case KindFleet:
		return decodeFleet(data)
	default:
		return decodeTrack(data)
	}
}

func mayOpen(kind Kind, role dispatch.Role) bool {
	switch kind {
	case KindCourier:
		return role == dispatch.RoleCourier
	case KindTrack:
		return role == dispatch.RoleCustomer
	default:
		return slices.Contains([]dispatch.Role{dispatch.RoleAdmin, dispatch.RoleDispatcher, dispatch.RoleViewer}, role)
	}
}

// open leads a connection from its first frame to live.
func (h *Hub) open(c *conn, bearer string) {
	s, err := h.handshake(c, bearer)
	if err == nil {
		go h.live(c, s) // with a new stack: the handshake's has grown
		return
	}
	h.count.rejected.Add(1)
	h.part(c, s, err)
}

// live reads until the connection ends.
func (h *Hub) live(c *conn, s session) {
	h.part(c, s, h.readAll(c, s))
}

// part ends a connection: says why, waits for the other side's farewell, and
// only then lets go, since closing a socket with unread input would take the
// close frame with it.
func (h *Hub) part(c *conn, s session, err error) {
	defer h.sockets.Done()
	c.tell()
	if s != nil {
		s.end()
	}
	var why *closeError
	if errors.As(err, &why) { // else the other side has gone, or is silent
		c.close(why.code, why.fault, why.detail)
		for err := error(nil); err == nil; {
			_, _, err = c.ws.NextReader()
		}
	}
	c.end()
	h.remove(c)
}

func (h *Hub) handshake(c *conn, bearer string) (session, error) {
	c.expect(h.AuthTimeout)
	inFrame := bearer == "" // else it has been counted
	if inFrame {
		frame, err := h.next(c)
		if err != nil {
			return nil, timely(err, &closeError{codeNoAuth, "unauthenticated", "no credential came"})
		}
		first, ok := frame.(*authIn)
		if !ok {
			return nil, &closeError{codeNoAuth, "unauthenticated", "the first frame must be auth"}
		}
		bearer = first.Token
	}
	ctx, cancel := context.WithTimeout(h.ctx, h.CallTimeout)
	defer cancel()
	if inFrame {
		if wait := h.handshakeWait(ctx, credentialKey(bearer), h.Limits.Credential); wait > 0 {
			return nil, tooMany("too many connections: come back in %d s", seconds(wait))
		}
	}
	id, err := h.Auth.Check(ctx, bearer)
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		return nil, &closeError{codeNoAuth, "unauthenticated", "the credential is not valid"}
	case err != nil:
		return nil, h.broken(ctx, "credential not checked", err)
	case !mayOpen(c.kind, id.Role):
		return nil, &closeError{codeRole, "forbidden", "not for the role " + string(id.Role)}
	}
	if err := h.hold(c, id); err != nil {
		return nil, err
	}
	s := h.newSession(c, id)
	seq, err := s.newest(ctx)
	if err != nil {
		return s, h.broken(ctx, "session not opened", err)
	}
	h.push(c, &welcome{Type: "welcome", Now: h.Clock.Now(), Rate: h.Clock.Rate(), Role: id.Role, ID: id.ID, Seq: seq})
	c.expect(h.AuthTimeout)
	frame, err := h.next(c)
	if err != nil {
		return s, timely(err, &closeError{codeBadFrame, "invalid", "no resume came"})
	}
	var after int64
	switch f := frame.(type) {
	case *resumeIn:
		after = f.Seq
	case *courierResumeIn:
		after = f.Seq
		c.bePatient(time.Duration(f.Patience * float64(time.Second)))
	default:
		return s, &closeError{codeBadFrame, "invalid", "resume must come first"}
	}
	if c.kind == KindCourier {
		c.readLimit = h.CourierRead
	}
	c.mu.Lock()
	c.session, c.cred = s, credential{Identity: id, bearer: bearer, checked: time.Now()}
	c.mu.Unlock()
	c.expect(0)
	again, cancel := context.WithTimeout(h.ctx, h.CallTimeout)
	defer cancel()
	if err := s.resume(again, after); err != nil {
		return s, h.broken(again, "session not resumed", err)
	}
	// A revocation since the check has found no session here, and the bus may
	// not have been asked for it yet: the next sweep looks once more.
	c.mu.Lock()
	c.cred.checked = time.Time{}
	c.mu.Unlock()
	return s, nil
}

func (h *Hub) newSession(c *conn, id auth.Identity) session {
	switch c.kind {
	case KindCourier:
		return newCourierSession(h, c, id)
	case KindFleet:
		return newFleetSession(h, c)
	default:
		return &trackSession{hub: h, conn: c, order: id.Order, link: id.ID}
	}
}

// next reads one frame of the handshake. Nothing may be wrong with it.
func (h *Hub) next(c *conn) (any, error) {
	var frame any
	err := c.read(func(data []byte) error {
		var err error
		if frame, err = decode(c.kind, data); err != nil {
			return h.bad(c, err, false)
		}
		return nil
	})
	return frame, err
}

// readAll takes frames until the connection ends.
func (h *Hub) readAll(c *conn, s session) error {
	take := func(data []byte) error {
		c.touch()
		if c.over() {
			return nil
		}
		c.listen()
		return h.receive(c, s, data)
	}
	for {
		if err := c.read(take); err != nil {
			return err
		}
	}
}

func (h *Hub) receive(c *conn, s session, data []byte) error {
	if h.shed(c, data) {
		return nil
	}
	frame, err := decode(c.kind, data)
	if err != nil {
		return h.bad(c, err, true)
	}
	return s.receive(h.ctx, frame)
}

// bad answers a frame that was refused. One that had an id is answered by
// it, and the connection stays; any other closes it.
func (h *Hub) bad(c *conn, err error, answer bool) error {
	h.count.badFrames.Add(1)
	var fault *frameError
	if !errors.As(err, &fault) {
		return h.broken(h.ctx, "frame not decoded", err)
	}
	if answer && fault.ID != "" {
		h.push(c, &failure{Type: "error", ID: fault.ID, Code: fault.Code, Detail: fault.Detail})
		return nil
	}
	return &closeError{codeBadFrame, fault.Code, fault.Detail}
}

// broken turns a fault into the close that the client sees, and logs what is
// ours.
func (h *Hub) broken(ctx context.Context, what string, err error) error {
	var why *closeError
	if errors.As(err, &why) {
		return why
	}
	if errors.Is(err, dispatch.ErrNotFound) {
		return &closeError{codeNothing, "not_found", "nothing there"}
	}
	code, detail, ours := faultOf(err)
	if ours && h.ctx.Err() == nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "socket broken", slog.String("doing", what), slog.Any("err", err))
	}
	return &closeError{codeInternal, code, detail}
}

// timely turns a timeout into what it means.
func timely(err error, late error) error {
	var t interface{ Timeout() bool }
	var why *closeError
	if !errors.As(err, &why) && errors.As(err, &t) && t.Timeout() {
		return late
	}
	return err
}

// push encodes and queues a frame for one connection.
func (h *Hub) push(c *conn, v any) {
	f, err := h.scratch.encode(v)
	if err != nil { // NaN in a figure, at worst
		h.Log.LogAttrs(h.ctx, slog.LevelError, "frame not encoded", slog.Any("err", err))
		return
	}
	c.push(f)
}
