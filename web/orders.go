package web

import (
	"context"

	"courier/dispatch"
)

func (s *Server) listOrders(c *call) (answer, error) {
	q, err := newQuery(c.Request, "status", "courier", "merchant", "reference", "placed_from", "placed_to", "limit", "cursor")
	if err != nil {
		return answer{}, err
	}
	wanted := dispatch.OrderQuery{
		Statuses: words(q, "status", dispatch.Status.Valid), Courier: q.text("courier"), Merchant: q.text("merchant"),
		Reference: q.text("reference"), PlacedFrom: q.time("placed_from"), PlacedTo: q.time("placed_to"),
		Limit: q.limit(), Cursor: q.cursor(),
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	page, next, err := s.deps.Dispatch.Orders(c.Context(), c.scope(), wanted)
	return answer{body: struct {
		Orders []dispatch.Order `json:"orders"`
		Next   string           `json:"next"`
	}{page, next}}, err
}

func (s *Server) readOrder(c *call) (answer, error) {
	order, err := s.deps.Dispatch.Order(c.Context(), c.scope(), c.id())
	return answer{body: order}, err
}

func (s *Server) currentOrder(c *call) (any, error) {
	return s.deps.Dispatch.Order(c.Context(), c.scope(), c.id())
}

func (s *Server) listEvents(c *call) (answer, error) {
	events, err := s.deps.Dispatch.Events(c.Context(), c.scope(), c.id(), 0)
	return answer{body: struct {
		Events []dispatch.Event `json:"events"`
	}{events}}, err
}

func (s *Server) listDecisions(c *call) (answer, error) {
	decisions, err := s.deps.Dispatch.Decisions(c.Context(), c.id())
	return answer{body: struct {
		Decisions []dispatch.Decision `json:"decisions"`
	}{decisions}}, err
}

// cancel is the one override that merchants have too. Its version is
// optional: whoever cancels means the order, not a state of it.
func (s *Server) cancel(c *call) (answer, error) {
	var body struct {
		Reason  string `json:"reason"`
		Version *int64 `json:"version,omitempty"`
	}
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	ov := dispatch.Override{By: c.actor(), Scope: c.scope(), Reason: body.Reason}
	if body.Version != nil {
		if *body.Version < 1 {
			return answer{}, invalid("version", "must be at least 1")
		}
		ov.Version = *body.Version
	}
	order, err := s.deps.Dispatch.Cancel(c.Context(), c.id(), ov)
	return answer{body: order}, err
}

// overrideBody is a dispatcher's decision. Its version is needed: it was made
// looking at one state of the order.
type overrideBody struct {
	Reason  string `json:"reason"`
	Version int64  `json:"version"`
}

func (b overrideBody) override(c *call) (dispatch.Override, error) {
	if b.Version < 1 { // 0 would mean "any" from here on
		return dispatch.Override{}, invalid("version", "must be at least 1")
	}
	return dispatch.Override{By: c.actor(), Scope: c.scope(), Reason: b.Reason, Version: b.Version}, nil
}

type courierOverrideBody struct {
	overrideBody
	Courier string `json:"courier"`
}

func (s *Server) assign(c *call) (answer, error) {
	return overrideCourier(c, s.deps.Dispatch.Assign)
}

func (s *Server) pin(c *call) (answer, error) {
	return overrideCourier(c, s.deps.Dispatch.Pin)
}

func (s *Server) unassign(c *call) (answer, error) {
	return override(c, s.deps.Dispatch.Unassign)
}

func (s *Server) retry(c *call) (answer, error) {
	return override(c, s.deps.Dispatch.Retry)
}

// bringBack says that a failed order's goods are with the merchant again.
func (s *Server) bringBack(c *call) (answer, error) {
	return override(c, s.deps.Dispatch.Return)
}

func override(c *call, do func(context.Context, string, dispatch.Override) (dispatch.Order, error)) (answer, error) {
	var body overrideBody
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	ov, err := body.override(c)
	if err != nil {
		return answer{}, err
	}
	order, err := do(c.Context(), c.id(), ov)
	return answer{body: order}, err
}

func overrideCourier(c *call, do func(context.Context, string, string, dispatch.Override) (dispatch.Order, error)) (answer, error) {
	var body courierOverrideBody
	if err := c.decode(&body); err != nil {
		return answer{}, err
	}
	ov, err := body.override(c)
	if err != nil {
		return answer{}, err
	}
	if body.Courier != "" && !validID(body.Courier) {
		return answer{}, invalid("courier", "does not exist")
	}
	order, err := do(c.Context(), c.id(), body.Courier, ov)
	return answer{body: order}, err
}
