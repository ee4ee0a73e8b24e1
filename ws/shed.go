package ws

import (
	"bytes"
	"time"

	"courier/internal/pressure"
)

// hold is how long a courier keeps its fixes when there is too much to do. At
// least one frame of each courier in that time is taken, so that nobody gets
// out of sight.
const hold = 2 * time.Second

// shed answers a frame of fixes unread where there is too much to do, and
// says so. It costs a fraction of taking them, and the next frame brings what
// has been gathered meanwhile. Whatever else a courier sends is taken.
func (h *Hub) shed(c *conn, data []byte) bool {
	if c.kind != KindCourier || !h.Pressure.Pressed() || typeOf(data) != "fixes" {
		return false
	}
	now := time.Now()
	if wait := c.held.Sub(now); wait > 0 {
		id := idOf(data)
		if checkID(id) != nil {
			return false // it is refused for that
		}
		_ = h.Pressure.Refuse(pressure.Position) // counted
		h.push(c, &ack{
			Type: "ack", ID: id, Code: "unavailable", Detail: "too much to do: keep the fixes and send them later",
			RetryAfter: float64(max(wait.Milliseconds(), 1)) / 1000,
		})
		return true
	}
	c.held = now.Add(hold)
	return false
}

// idOf finds the id of a frame as every client of ours begins it, or anywhere.
func idOf(data []byte) string {
	const begin, middle = `{"type":"`, `fixes","id":"`
	if rest, ok := bytes.CutPrefix(data, []byte(begin+middle)); ok {
		if id, _, ok := bytes.Cut(rest, []byte{'"'}); ok && !bytes.ContainsRune(id, '\\') {
			return string(id)
		}
	}
	return member(data, "id")
}
