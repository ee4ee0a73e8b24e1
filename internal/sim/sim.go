package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/internal/sim/client"
	"courier/internal/sim/ledger"
	"courier/internal/sim/scenario"
)

// Sim is one simulation. Run it once.
type Sim struct {
	c       Config
	client  *client.Client
	clock   *serverTime
	ledger  *ledger.Ledger
	figures *counters
	pins    sync.Map // order → PIN, as its customer was told it
	placing atomic.Int64
	again   sync.WaitGroup // who sends again and who spies

	// Set by Run before anyone acts.
	run      string // a name no other run has
	merchant string
	apiKey   string
	spyKey   string    // of another merchant
	start    time.Time // of the scenario, in the server's time
	source   scenario.Source

	mu     sync.Mutex
	badges map[string]badge // by courier
	doors  map[string]door  // by order
	placed map[string]scenario.Order
}

// New checks the Config and reports every fault.
func New(c Config) (*Sim, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("simulation: %w", err)
	}
	cl, err := client.New(client.Config{Server: c.Server, Seed: c.Seed})
	if err != nil {
		return nil, fmt.Errorf("simulation: %w", err)
	}
	return &Sim{
		c: c, client: cl, clock: &serverTime{}, ledger: ledger.New(), figures: newCounters(),
		badges: map[string]badge{}, doors: map[string]door{}, placed: map[string]scenario.Order{},
	}, nil
}

// Run is New and Run in one.
func Run(ctx context.Context, c Config) (Report, error) {
	s, err := New(c)
	if err != nil {
		return Report{}, err
	}
	return s.Run(ctx)
}

// Run simulates until the source, the duration or ctx ends, lets open orders
// finish for the grace time, holds the server to its promises, and reports.
// The report is good even if the error is not nil, as far as it goes.
func (s *Sim) Run(ctx context.Context) (Report, error) {
	defer s.client.Close()
	couriers, err := s.prepare(ctx)
	if err != nil {
		return Report{}, err
	}
	// Everyone lives on after ctx, for the grace time.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	g, life := errgroup.WithContext(life)
	for _, c := range couriers {
		g.Go(func() error { return c.run(life) })
	}
	g.Go(func() error { return s.progress(life) })
	g.Go(func() error {
		defer end()
		if err := s.place(ctx, life, g); err != nil {
			return err
		}
		s.grace(life)
		s.pause(life, s.c.Settle)
		return nil
	})
	err = g.Wait()
	end()
	s.again.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("simulate: %w", err)
	}
	report, checkErr := s.finish(context.WithoutCancel(ctx))
	return report, errors.Join(err, checkErr)
}

// prepare agrees on the time and brings the merchant and the couriers to the
// server.
func (s *Sim) prepare(ctx context.Context) ([]*courier, error) {
	now, rate, took, err := s.client.Time(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the time: %w", err)
	}
	if rate <= 0 {
		return nil, fmt.Errorf("the server's clock runs at %v", rate)
	}
	s.clock.agree(now, time.Now().Add(-took/2), rate)
	s.run = "s" + strconv.FormatUint(s.c.Seed, 36) + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	s.merchant = "sim-" + s.run
	if s.apiKey, err = s.client.NewAPIKey(ctx, s.c.AdminToken, s.merchant, "simulation"); err != nil {
		return nil, fmt.Errorf("make an API key: %w", err)
	}
	if s.spyKey, err = s.client.NewAPIKey(ctx, s.c.AdminToken, s.merchant+"-rival", "simulation"); err != nil {
		return nil, fmt.Errorf("make an API key: %w", err)
	}
	if s.source, err = s.c.source(now); err != nil {
		return nil, fmt.Errorf("open the source: %w", err)
	}
	specs := s.source.Couriers()
	// The day starts when all have been hired.
	lead := s.c.Lead + time.Duration(len(specs))*10*time.Millisecond
	s.start = s.clock.Now().Add(s.clock.server(lead))
	couriers := make([]*courier, len(specs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, spec := range specs {
		g.Go(func() error {
			n := client.NewCourier{Name: spec.Name, Vehicle: spec.Vehicle, Capacity: spec.Capacity, Skills: spec.Skills, Start: &spec.At}
			if spec.To > 0 {
				n.Shift = &client.Span{From: s.start.Add(spec.From), To: s.start.Add(spec.To)}
			}
			made, err := s.client.NewCourier(ctx, s.c.Staff[i%len(s.c.Staff)], n)
			if err != nil {
				return fmt.Errorf("hire courier %s: %w", spec.Name, err)
			}
			couriers[i] = s.newCourier(i, spec, made.ID)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.c.Log.LogAttrs(ctx, slog.LevelInfo, "simulation starts", slog.String("merchant", s.merchant),
		slog.Int("couriers", len(couriers)), slog.Float64("rate", rate), slog.Time("start", s.start))
	return couriers, nil
}

// place has each order placed when its time comes, until ctx ends. Orders
// live as long as life does.
func (s *Sim) place(ctx, life context.Context, g *errgroup.Group) error {
	for number := 0; ; number++ {
		o, ok := s.source.Next()
		if !ok {
			// A city without orders has a day all the same.
			if s.c.Duration > 0 {
				s.sleep(ctx, s.start.Add(s.c.Duration))
			} else if number == 0 {
				<-ctx.Done()
			}
			return nil
		}
		if s.c.Duration > 0 && o.At >= s.c.Duration {
			s.sleep(ctx, s.start.Add(s.c.Duration))
			return nil
		}
		if !s.sleep(ctx, s.start.Add(o.At)) || life.Err() != nil {
			return nil
		}
		s.placing.Add(1)
		g.Go(func() error { return s.customer(life, number, o) })
	}
}

// grace waits until no order of ours is open, or for the grace time.
func (s *Sim) grace(ctx context.Context) {
	open := []string{"placed", "searching", "offered", "assigned", "at_pickup", "picked_up", "at_dropoff", "unassignable"}
	end := s.clock.Now().Add(s.c.Grace)
	// A server that is away must not hold this up.
	ctx, cancel := context.WithTimeout(ctx, s.clock.real(s.c.Grace))
	defer cancel()
	for s.clock.Now().Before(end) {
		placing := s.placing.Load() // before the list, which may be older than an order placed meanwhile
		left, err := s.client.Orders(ctx, s.c.AdminToken, client.Filter{Merchant: s.merchant, Statuses: open, Limit: 1})
		if err != nil && ctx.Err() == nil {
			s.c.Log.LogAttrs(ctx, slog.LevelWarn, "open orders not listed", slog.Any("err", err))
		}
		if err == nil && len(left) == 0 && placing == 0 || !s.pause(ctx, 500*time.Millisecond) {
			return
		}
	}
}

// finish checks the ledger and reports.
func (s *Sim) finish(ctx context.Context) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, s.c.CheckFor)
	defer cancel()
	facts, violations, err := s.ledger.Check(ctx, s.client, s.scope())
	if err != nil {
		err = fmt.Errorf("check the ledger: %w", err)
	}
	r := s.report(facts, violations)
	r.Checked = err == nil
	return r, err
}

// Settle holds the server, while it works, to what it has promised about
// orders that are over by now, and returns what is new since the last call.
func (s *Sim) Settle(ctx context.Context) ([]ledger.Violation, error) {
	return s.ledger.Settle(ctx, s.client, s.scope())
}

// Fresh leaves out the violations that Settle has returned.
func (s *Sim) Fresh(found []ledger.Violation) []ledger.Violation { return s.ledger.Fresh(found) }

// Loaded records how a dispatcher's page shows a courier's load.
func (s *Sim) Loaded(courier string, load, capacity int) { s.ledger.Load(courier, load, capacity) }

func (s *Sim) scope() ledger.Scope {
	rate := max(1, s.clock.Rate())
	real := func(d time.Duration) time.Duration { return time.Duration(rate * float64(d)) }
	return ledger.Scope{
		Credential: s.c.Staff[0], Others: s.c.Staff[1:], Merchant: s.merchant, Now: s.clock.Now, OpenFrom: s.c.OpenFrom,
		Slack: real(2 * time.Second), Late: real(10 * time.Second), Stall: s.c.StallAfter + real(10*time.Second),
		StaleAfter: s.c.StaleAfter, LinkGrace: s.c.LinkGrace,
	}
}

func (s *Sim) progress(ctx context.Context) error {
	if s.c.Progress == nil {
		return nil
	}
	for s.pause(ctx, s.c.ProgressEvery) {
		s.c.Progress(s.Figures())
	}
	return nil
}

func (s *Sim) heard(w client.Welcome) {
	if s.clock.heard(w.Now, w.Rate) {
		s.c.Log.LogAttrs(context.Background(), slog.LevelWarn, "the server's time has jumped", slog.Time("now", w.Now), slog.Float64("rate", w.Rate))
	}
}

func (s *Sim) remember(order string, o scenario.Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.placed[order] = o
}

// sleep waits for a time of the server's; false: ctx has ended.
func (s *Sim) sleep(ctx context.Context, until time.Time) bool {
	for {
		if ctx.Err() != nil {
			return false
		}
		if !s.clock.Now().Before(until) {
			return true
		}
		t := s.clock.until(until)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// pause waits in real time; false: ctx has ended.
func (s *Sim) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Now is the server's time, once Run has asked for it.
func (s *Sim) Now() (now time.Time, rate float64, known bool) {
	if s.clock.now.Load() == nil {
		return time.Time{}, 0, false
	}
	return s.clock.Now(), s.clock.Rate(), true
}
