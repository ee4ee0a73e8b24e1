package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// fixLoad sends positions on sockets, by a schedule or as fast as the answers
// come.
type fixLoad struct {
	senders []*sender
	batch   int
	rate    float64 // fixes a second; 0: as many as go
	silent  bool    // nobody answers
	polite  bool    // what the server holds back is gathered and sent later
	window  window

	answered *recorder
	lag      *recorder
	accepted atomic.Int64 // fixes, warming up included
	sent     atomic.Int64 // fixes, warming up included
	refused  atomic.Int64
	held     atomic.Int64 // frames held back; their fixes came with later ones
	good     atomic.Int64 // fixes accepted, due in the measured time
	counted  atomic.Int64 // fixes answered within the measured time; those taken, if nobody answers
	told     func(format string, args ...any)
	refusal  sync.Once
}

// sender is one courier's phone.
type sender struct {
	*socket
	n    int // of all
	lat  float64
	lng  float64
	made int64
	last time.Time // of the newest position
	buf  []byte

	load atomic.Pointer[fixLoad] // what its answers count for
	end  chan struct{}           // closed when nothing more comes in
	err  error                   // why, once end is closed

	mu   sync.Mutex
	due  []flight  // frames without an answer, oldest first
	kept int       // fixes that the server has held back
	hold time.Time // until when
	room chan struct{}
}

// flight is a frame without an answer: when its newest fix was due, and how
// many it has.
type flight struct {
	due time.Time
	n   int
}

// inFlight is how many frames a courier has under way when it waits for
// answers alone.
const inFlight = 8

// newSender listens on a courier's socket until that is closed.
func newSender(c *courier, n int) *sender {
	s := &sender{socket: c.socket, n: n, lat: c.at.Lat, lng: c.at.Lng, room: make(chan struct{}, inFlight), end: make(chan struct{})}
	go func() {
		defer close(s.end)
		s.err = s.listen()
	}()
	return s
}

// hangUp closes sockets and waits until nobody listens any more.
func hangUp(senders []*sender) {
	for _, s := range senders {
		if s != nil {
			s.close()
			<-s.end
		}
	}
}

// frame is the next positions, evenly between the last and the time due, or
// one of each millisecond, which is what the server tells apart. Each is a
// little away from the one before, as GPS is.
func (s *sender) frame(due time.Time, batch int, paced bool) []byte {
	s.made++
	if s.last.IsZero() {
		s.last = due.Add(-time.Minute)
	}
	step := time.Millisecond
	if paced {
		step = max(step, due.Sub(s.last)/time.Duration(batch))
	}
	b := append(s.buf[:0], `{"type":"fixes","id":"f`...)
	b = strconv.AppendInt(b, s.made, 10)
	b = append(b, `","fixes":[`...)
	for i := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		s.last = s.last.Add(step)
		b = append(b, `{"time":"`...)
		b = s.last.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
		b = append(b, `","lat":`...)
		b = strconv.AppendFloat(b, s.lat+float64(s.made&1)*1e-6, 'f', 6, 64)
		b = append(b, `,"lng":`...)
		b = strconv.AppendFloat(b, s.lng, 'f', 6, 64)
		b = append(b, `,"accuracy":8,"speed":6.1,"heading":90}`...)
	}
	s.buf = append(b, `]}`...)
	return s.buf
}

// run sends until the window ends and waits for what is unanswered.
func (l *fixLoad) run(ctx context.Context) error {
	l.answered, l.lag = newRecorder(l.window), newRecorder(l.window)
	for _, s := range l.senders {
		s.load.Store(l)
	}
	g, sending := errgroup.WithContext(ctx)
	if l.rate > 0 {
		l.open(sending, g)
	} else {
		l.flatOut(sending, g)
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if l.silent {
		return nil
	}
	return l.drain(ctx)
}

// pacers is how many share the schedule.
const pacers = 4

func (l *fixLoad) open(ctx context.Context, g *errgroup.Group) {
	whole := Schedule{Start: l.window.start, Rate: l.rate / float64(l.batch)}
	n := min(pacers, len(l.senders))
	for p := range n {
		var mine []*sender
		for i := p; i < len(l.senders); i += n {
			mine = append(mine, l.senders[i])
		}
		g.Go(func() error {
			return whole.Part(p, n).Run(ctx, l.window.until, func(n int64, due time.Time) error {
				l.lag.record(p, due, time.Now())
				return l.dispatch(mine[n%int64(len(mine))], due)
			})
		})
	}
}

func (l *fixLoad) flatOut(ctx context.Context, g *errgroup.Group) {
	for _, s := range l.senders {
		g.Go(func() error {
			for now := time.Now(); now.Before(l.window.until) && ctx.Err() == nil; now = time.Now() {
				if !l.silent {
					select {
					case s.room <- struct{}{}:
					case <-s.end:
						return fmt.Errorf("courier %d: %w", s.n, s.err)
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				if err := l.dispatch(s, time.Now()); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
}

func (l *fixLoad) dispatch(s *sender, due time.Time) error {
	n := l.batch
	if !l.silent {
		s.mu.Lock()
		n = min(n+s.kept, 200)
		if due.Before(s.hold) {
			s.kept = n
			s.mu.Unlock()
			return nil
		}
		s.kept = 0
		s.due = append(s.due, flight{due, n})
		s.mu.Unlock()
	}
	if err := s.send(s.frame(due, n, l.rate > 0)); err != nil {
		return fmt.Errorf("courier %d sends: %w", s.n, s.why(err))
	}
	l.sent.Add(int64(n))
	return nil
}

// why adds to what came of sending what the server said before, if it did.
func (s *sender) why(err error) error {
	select {
	case <-s.end:
		return errors.Join(err, s.err)
	case <-time.After(time.Second):
		return err
	}
}

// listen takes a courier's frames until its socket is closed.
func (s *sender) listen() error {
	var a answer
	for {
		raw, err := s.next()
		if err != nil {
			return err
		}
		if err := a.read(raw); err != nil {
			return err
		}
		if l := s.load.Load(); l != nil && a.Type == "ack" {
			if err := l.take(s, &a, raw); err != nil {
				return err
			}
		}
	}
}

// take counts a courier's answers, which come in order.
func (l *fixLoad) take(s *sender, a *answer, raw []byte) error {
	now := time.Now()
	s.mu.Lock()
	if len(s.due) == 0 {
		s.mu.Unlock()
		return fmt.Errorf("an answer to nothing: %s", raw)
	}
	due, n := s.due[0].due, s.due[0].n
	s.due = s.due[1:]
	if l.polite && a.RetryAfter > 0 {
		s.kept, s.hold = min(s.kept+n, 200), now.Add(time.Duration(a.RetryAfter*float64(time.Second)))
		s.mu.Unlock()
		l.held.Add(1)
		return nil
	}
	s.mu.Unlock()
	l.accepted.Add(int64(a.Accepted))
	if a.Accepted < n {
		l.refused.Add(int64(n - a.Accepted))
		l.refusal.Do(func() { l.told("first refusal: %s", raw) })
	}
	if l.window.counts(due) {
		l.good.Add(int64(a.Accepted))
	}
	if l.window.counts(now) {
		l.counted.Add(int64(a.Accepted))
	}
	l.answered.record(s.n, due, now)
	if l.rate == 0 {
		<-s.room
	}
	return nil
}

// drainWithin is how long answers may be late at the end before they count as
// missing; longer than any courier's patience.
const drainWithin = 15 * time.Second

func (l *fixLoad) drain(ctx context.Context) error {
	for until := time.Now().Add(drainWithin); ; {
		missing := 0
		for _, s := range l.senders {
			select {
			case <-s.end:
				return fmt.Errorf("courier %d: %w", s.n, s.err)
			default:
			}
			s.mu.Lock()
			missing += len(s.due)
			s.mu.Unlock()
		}
		if missing == 0 {
			return nil
		}
		if time.Now().After(until) {
			break
		}
		if !sleep(ctx, time.Now().Add(5*time.Millisecond)) {
			return ctx.Err()
		}
	}
	for _, s := range l.senders { // what never came took at least so long
		s.mu.Lock()
		for _, due := range s.due {
			l.refused.Add(int64(due.n))
			l.answered.record(s.n, due.due, time.Now())
		}
		s.due = nil
		s.mu.Unlock()
	}
	return nil
}

// tell makes a result of it.
func (l *fixLoad) tell(r *Result) {
	r.Asked, r.Reached = l.rate, float64(l.counted.Load())/l.window.seconds()
	r.Count, r.Errors = l.good.Load(), l.refused.Load()
	if l.rate > 0 {
		r.Latency = l.answered.latency()
		if lag := l.lag.latency(); lag != nil {
			r.Lag = lag.P99
		}
	}
}
