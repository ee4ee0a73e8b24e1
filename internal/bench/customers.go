package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"courier/internal/sim/client"
)

// parcel is an order with a link that customers may open.
type parcel struct {
	order   string
	version int64
	secret  string
}

// parcels places n orders, not to be matched yet, and makes a link for each.
// Each is 600 m from the courier of its number: nobody arrives by standing
// there, and nobody is too far away.
func (p *people) parcels(ctx context.Context, n int) ([]parcel, error) {
	all := make([]parcel, n)
	name := strconv.FormatInt(time.Now().UnixNano(), 36)
	ready := time.Now().Add(2 * time.Hour)
	err := each(ctx, n, func(ctx context.Context, i int) error {
		reference := fmt.Sprintf("%s-%d", name, i)
		from := middle.Offset(float64(i%100)*100-5000, float64(i/100%100)*100-4400)
		order, err := p.client.Place(ctx, p.key, reference, client.NewOrder{
			Reference: reference, ReadyAt: &ready, Size: 1, Items: "2 soups, 1 bread",
			Pickup:  client.End{Point: from, Address: "Kiln Street 4"},
			Dropoff: client.End{Point: from.Offset(800, 600), Address: "Elm Row 9"},
		})
		if err != nil {
			return err
		}
		link, err := p.client.NewLink(ctx, p.key, order.ID)
		all[i] = parcel{order.ID, order.Version, link.Secret}
		return err
	})
	return all, err
}

// watch opens a customer's socket for each parcel; see follow.
func (p *people) watch(ctx context.Context, parcels []parcel, seen func(i int, raw []byte, at time.Time)) error {
	return p.follow(ctx, len(parcels), func(i int) (path, bearer string) { return "/v1/ws/track", parcels[i].secret }, seen)
}

// oversee opens sockets of n dispatchers, who look at a place where nobody
// is, so that orders are all that they are told of.
func (p *people) oversee(ctx context.Context, n int, seen func(i int, raw []byte, at time.Time)) error {
	return p.follow(ctx, n, func(int) (path, bearer string) { return "/v1/ws/fleet", p.target.Token }, seen,
		`{"type":"view","bounds":{"south":0,"west":0,"north":0.1,"east":0.1},"zoom":13}`)
}

// follow opens n sockets and hands every frame to seen, with the socket's
// number, until people hang up. It returns when all have their snapshot.
func (p *people) follow(ctx context.Context, n int, who func(i int) (path, bearer string), seen func(i int, raw []byte, at time.Time), then ...string) error {
	return each(ctx, n, func(ctx context.Context, i int) error {
		path, bearer := who(i)
		s, err := dial(ctx, p.target.address(), path, bearer)
		if err != nil {
			return err
		}
		p.keep(s)
		for _, frame := range append([]string{`{"type":"resume","seq":0}`}, then...) {
			if err := s.send([]byte(frame)); err != nil {
				return err
			}
		}
		for {
			raw, err := s.next()
			if err != nil {
				return fmt.Errorf("socket %d of %s: %w", i, path, err)
			}
			if bytes.HasPrefix(raw, []byte(`{"type":"snapshot"`)) {
				break
			}
		}
		p.listeners.Go(func() {
			for {
				raw, err := s.next()
				if err != nil {
					return
				}
				seen(i, raw, time.Now())
			}
		})
		return nil
	})
}

// carry gives courier i parcel i, fetched already: its customer sees where
// the courier is.
func (p *people) carry(ctx context.Context, parcels []parcel) error {
	return each(ctx, len(parcels), func(ctx context.Context, i int) error {
		c := p.couriers[i]
		if err := p.stand(c); err != nil {
			return err
		}
		if err := p.give(ctx, &parcels[i], c.id); err != nil {
			return err
		}
		for _, action := range []string{"stop.arrive", "stop.complete"} {
			frame := fmt.Sprintf(`{"type":%q,"id":%q,"order":%q,"kind":"pickup"}`, action, action, parcels[i].order)
			if err := c.ask(frame, action); err != nil {
				return err
			}
		}
		return nil
	})
}

// stand has a courier say where it is: who has not been heard of gets no work.
func (p *people) stand(c *courier) error {
	return c.ask(fmt.Sprintf(`{"type":"fixes","id":"stand","fixes":[{"time":%q,"lat":%.6f,"lng":%.6f,"accuracy":8}]}`,
		time.Now().Add(-time.Second).UTC().Format("2006-01-02T15:04:05.000Z07:00"), c.at.Lat, c.at.Lng), "stand")
}

// give assigns a parcel as a dispatcher does, as soon as the server knows
// where the courier is.
func (p *people) give(ctx context.Context, to *parcel, courier string) error {
	c, err := newCaller(ctx, p.target.address())
	if err != nil {
		return err
	}
	defer c.close()
	for until := time.Now().Add(drainWithin); ; {
		status, raw, err := p.assign(c, to.order, courier, to.version)
		if err != nil {
			return err
		}
		if v, ok := jsonNumber(raw, "version"); ok && status == http.StatusOK {
			to.version = v
			return nil
		}
		if status != http.StatusConflict || time.Now().After(until) {
			return fmt.Errorf("assign: %d %s", status, raw)
		}
		if !sleep(ctx, time.Now().Add(50*time.Millisecond)) {
			return ctx.Err()
		}
	}
}

func (p *people) assign(c *caller, order, courier string, version int64) (int, []byte, error) {
	return c.call(http.MethodPost, "/v1/orders/"+order+"/assign", p.target.Token, "",
		fmt.Appendf(nil, `{"courier":%q,"reason":"bench","version":%d}`, courier, version))
}

func (p *people) unassign(c *caller, order string, version int64) (int, []byte, error) {
	return c.call(http.MethodPost, "/v1/orders/"+order+"/unassign", p.target.Token, "",
		fmt.Appendf(nil, `{"reason":"bench","version":%d}`, version))
}

// number after a name in JSON, the first; text likewise. A whole decoder in
// each of ten thousand sockets would be most of the load.
func jsonNumber(raw []byte, name string) (int64, bool) {
	_, rest, ok := bytes.Cut(raw, []byte(`"`+name+`":`))
	if !ok {
		return 0, false
	}
	end := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return n, err == nil
}

func jsonText(raw []byte, name string) string {
	_, rest, _ := bytes.Cut(raw, []byte(`"`+name+`":"`))
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(text)
}

func jsonTime(raw []byte, name string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, jsonText(raw, name))
	return t, err == nil
}
