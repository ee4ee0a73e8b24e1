// Package gather lets those who wait at once share one round trip.
//
//	Enter → a lane is free: go by oneself → Leave
//	Enter → all are busy: wait ─┐
//	Enter → all are busy: wait ─┴→ the next free lane starts them as one batch → Leave
package gather

import "sync"

// Lanes are ways on which work is under way. Nobody waits for company: who
// finds a lane free goes by himself, and batches grow as lanes are busy.
type Lanes[T any] struct {
	start func(batch []T)
	most  int

	mu    sync.Mutex
	free  int
	queue []T
}

// New has so many lanes. start gets what waited, at most so many at once; it
// must not block, and Leave must follow when the batch is done.
func New[T any](lanes, most int, start func(batch []T)) *Lanes[T] {
	return &Lanes[T]{start: start, most: most, free: lanes}
}

// Enter takes a free lane: alone is true and Leave must follow. Else one
// waits, and comes to start in a batch.
func (l *Lanes[T]) Enter(one T) (alone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.free > 0 {
		l.free--
		return true
	}
	l.queue = append(l.queue, one)
	return false
}

// Leave gives the lane to those who wait.
func (l *Lanes[T]) Leave() {
	l.mu.Lock()
	n := min(len(l.queue), l.most)
	batch := l.queue[:n:n]
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	if n == 0 {
		l.free++
	}
	l.mu.Unlock()
	if n > 0 {
		l.start(batch)
	}
}

// Waiting is how many wait.
func (l *Lanes[T]) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue)
}
