package client

import "context"

// Desk is told what a dispatcher's page learns, on one goroutine.
type Desk struct {
	Up, Down func()
	Whole    func() // all couriers come next; those that do not are gone
	Orders   func([]FleetOrder)
	Couriers func(here []FleetCourier, removed []string)
}

// Watch keeps a dispatcher's page open until ctx ends or the credential is
// void.
func (c *Client) Watch(ctx context.Context, credential string, d Desk) error {
	var seq int64
	return c.follow(ctx, "/v1/ws/fleet", credential,
		func() int64 { return seq },
		func(*wire, Welcome) { d.Up() },
		func() { d.Down() },
		func(f frame) error {
			switch f.Type {
			case "snapshot":
				if !f.Partial {
					d.Whole()
				}
				d.Orders(f.Orders)
				d.Couriers(f.Couriers, nil)
			case "orders":
				d.Orders(f.Orders)
			case "couriers":
				d.Couriers(f.Couriers, f.Removed)
			default:
				return nil
			}
			seq = max(seq, f.Seq)
			return nil
		})
}
