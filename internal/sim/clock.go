package sim

import (
	"sync/atomic"
	"time"

	"courier/internal/clock"
)

// serverTime is a clock that agrees with the server's. A server that comes
// back with another time is followed.
type serverTime struct{ now atomic.Pointer[agreed] }

type agreed struct {
	clock  clock.Clock
	offset time.Duration // at rate 1, where the origin does not matter
}

// agree sets the clock by what the server said at a real time.
func (s *serverTime) agree(now, real time.Time, rate float64) {
	a := agreed{}
	if ahead := now.Sub(real); rate == 1 {
		a.clock, a.offset = clock.New(real, 1), ahead
	} else {
		// now = origin + (real - origin) * rate, solved for the origin.
		a.clock = clock.New(real.Add(time.Duration(float64(ahead)/(1-rate))), rate)
	}
	s.now.Store(&a)
}

// heard compares the clock with a time the server has just said, and follows
// it if they are seconds apart.
func (s *serverTime) heard(now time.Time, rate float64) (jumped bool) {
	if now.IsZero() || rate <= 0 {
		return false
	}
	apart := now.Sub(s.Now()).Abs()
	if s.Rate() == rate && apart < time.Duration(3*max(1, rate)*float64(time.Second)) {
		return false
	}
	s.agree(now, time.Now(), rate)
	return true
}

func (s *serverTime) Now() time.Time {
	a := s.now.Load()
	return a.clock.Now().Add(a.offset)
}

func (s *serverTime) Rate() float64 { return s.now.Load().clock.Rate() }

// until is a timer that fires at a time of the server's.
func (s *serverTime) until(t time.Time) *time.Timer {
	return s.now.Load().clock.Timer(max(t.Sub(s.Now()), time.Duration(s.Rate()*float64(time.Millisecond))))
}

// real is how long a stretch of the server's time takes.
func (s *serverTime) real(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.Rate())
}

// server is how much of the server's time passes in a stretch of real time.
func (s *serverTime) server(d time.Duration) time.Duration {
	return time.Duration(float64(d) * s.Rate())
}
