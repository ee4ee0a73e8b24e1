package ws

import (
	"sync/atomic"
	"time"
)

const (
	// patience is how long the frames behind a step wait for it, as they
	// should find the new duty and plan. Beyond, something is wrong with the
	// store, and a courier's place on the map need not suffer from that.
	patience = 500 * time.Millisecond
	// maxSteps is how many steps of one socket may wait before its reader
	// does.
	maxSteps = 32
)

// steps are done one after the other, in the order in which the reader of a
// socket took them. Only that reader calls the methods.
type steps struct {
	queue   chan func() // nil: none yet
	waiting atomic.Int32
	ended   atomic.Bool
	done    chan struct{}
}

// take adds a step, and waits a little for it if it is the only one.
func (s *steps) take(step func()) {
	if s.queue == nil {
		s.queue, s.done = make(chan func(), maxSteps), make(chan struct{})
		go s.run()
	}
	taken := make(chan struct{})
	alone := s.waiting.Add(1) == 1
	s.queue <- func() {
		defer close(taken)
		defer s.waiting.Add(-1)
		if !s.ended.Load() {
			step()
		}
	}
	if !alone {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-taken:
	case <-timer.C:
	}
}

func (s *steps) run() {
	defer close(s.done)
	for step := range s.queue {
		step()
	}
}

// end waits for the step under way. Those behind it are left: their client
// has no answer, and sends them again.
func (s *steps) end() {
	if s.queue == nil {
		return
	}
	s.ended.Store(true)
	close(s.queue)
	<-s.done
}
