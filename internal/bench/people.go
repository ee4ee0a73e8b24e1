package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"courier/geo"
	"courier/internal/sim/client"
)

// people are those who use a server in a scenario.
type people struct {
	target   *Target
	client   *client.Client
	key      string // a merchant's
	couriers []*courier
	patience float64 // seconds for which couriers let answers to their fixes be gathered

	mu        sync.Mutex
	sockets   []*socket
	listeners sync.WaitGroup
	sending   []*sender
}

// courier is one who is signed in, on duty and connected.
type courier struct {
	*socket
	id string
	at geo.Point
}

// middle is where the couriers are.
var middle = geo.Point{Lat: 52.0907, Lng: 5.1214}

// atOnce is how many set themselves up at a time.
const atOnce = 32

func newPeople(ctx context.Context, t *Target) (*people, error) {
	c, err := client.New(client.Config{Server: t.URL})
	if err != nil {
		return nil, err
	}
	p := &people{target: t, client: c}
	if p.key, err = c.NewAPIKey(ctx, t.Token, "bench", "bench"); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// close hangs up for all.
func (p *people) close() error {
	p.hangUp()
	p.client.Close()
	return nil
}

func (p *people) hangUp() {
	p.mu.Lock()
	for _, s := range p.sockets {
		s.close()
	}
	p.mu.Unlock()
	hangUp(p.sending)
	p.listeners.Wait()
}

// senders are the phones of all couriers.
func (p *people) senders() []*sender {
	if p.sending == nil {
		for i, c := range p.couriers {
			p.sending = append(p.sending, newSender(c, i))
		}
	}
	return p.sending
}

func (p *people) keep(s *socket) *socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets = append(p.sockets, s)
	return s
}

// each does something n times, several at once.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}

// hire makes n couriers who stand in a square of 10 km and are on duty.
func (p *people) hire(ctx context.Context, n int) error {
	p.couriers = make([]*courier, n)
	return each(ctx, n, func(ctx context.Context, i int) (err error) {
		p.couriers[i], err = p.hireOne(ctx, i)
		return err
	})
}

func (p *people) hireOne(ctx context.Context, i int) (*courier, error) {
	made, err := p.client.NewCourier(ctx, p.target.Token, client.NewCourier{Name: fmt.Sprint("Courier ", i), Vehicle: geo.Bicycle, Capacity: 20})
	if err != nil {
		return nil, err
	}
	code, err := p.client.SignInCode(ctx, p.target.Token, made.ID)
	if err != nil {
		return nil, err
	}
	session, err := p.client.SignIn(ctx, code)
	if err != nil {
		return nil, err
	}
	s, err := dial(ctx, p.target.address(), "/v1/ws/courier", session.Token)
	if err != nil {
		return nil, err
	}
	c := &courier{socket: p.keep(s), id: made.ID, at: middle.Offset(float64(i%100)*100-5000, float64(i/100%100)*100-5000)}
	if err := s.send(fmt.Appendf(nil, `{"type":"resume","seq":0,"patience":%g}`, p.patience)); err != nil {
		return nil, err
	}
	return c, c.ask(`{"type":"duty","id":"duty","duty":"available"}`, "duty")
}

// ask sends an action and waits for its answer.
func (c *courier) ask(frame, id string) error {
	if err := c.send([]byte(frame)); err != nil {
		return err
	}
	for {
		raw, err := c.next()
		if err != nil {
			return err
		}
		var a answer
		if err := a.read(raw); err != nil {
			return err
		}
		if a.Type == "ack" && a.ID == id {
			return a.refusal(raw)
		}
	}
}
