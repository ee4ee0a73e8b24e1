package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// memoryQueue is a queue and who works on it now.
type memoryQueue struct {
	Queue
	workers []*memoryWorker
	next    int
	came    chan struct{} // closed when a worker comes
}

type memoryWorker struct {
	ctx     context.Context // of Work
	do      Handler
	running sync.WaitGroup // Add under Memory.work
}

// job is one message of one queue.
type job struct{ queue, id string }

// settled stands for as many tries as it takes.
const settled = Tries

// Work implements Worker.
func (m *Memory) Work(ctx context.Context, queue string, topics []string, do Handler) error {
	q := Queue{Name: queue, Topics: topics}
	if err := q.Validate(); err != nil {
		return fmt.Errorf("work: %w", err)
	}
	w := &memoryWorker{ctx: ctx, do: do}
	m.work.Lock()
	own := m.declare(q)
	own.workers = append(own.workers, w)
	close(own.came)
	own.came = make(chan struct{})
	m.work.Unlock()

	<-ctx.Done()
	m.work.Lock()
	for i, other := range own.workers {
		if other == w {
			own.workers = append(own.workers[:i:i], own.workers[i+1:]...)
			break
		}
	}
	m.work.Unlock()
	w.running.Wait()
	return nil
}

// declare makes a queue or gives it these topics; work is held.
func (m *Memory) declare(q Queue) *memoryQueue {
	own := m.queues[q.Name]
	if own == nil {
		own = &memoryQueue{came: make(chan struct{})}
		m.queues[q.Name] = own
	}
	own.Queue = q
	return own
}

// finish has the work of messages done, at most Parallel at once. How often
// each was tried is remembered until all are settled, so that a publisher
// who comes again after an error does come to an end.
func (m *Memory) finish(ctx context.Context, messages []Message) error {
	type task struct {
		job
		queue *memoryQueue
		Message
	}
	var tasks []task
	m.work.Lock()
	for _, q := range m.queues {
		for _, msg := range messages {
			if q.Wants(msg.Topic) {
				tasks = append(tasks, task{job{q.Name, msg.ID}, q, msg})
			}
		}
	}
	m.work.Unlock()
	if len(tasks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.Hold)
	defer cancel()
	var g errgroup.Group // all are tried, whatever becomes of one
	g.SetLimit(m.Parallel)
	for _, t := range tasks {
		g.Go(func() error { return m.settle(ctx, t.queue, t.job, t.Message) })
	}
	err := g.Wait()
	m.work.Lock()
	defer m.work.Unlock()
	switch {
	case err == nil:
		for _, t := range tasks {
			delete(m.tries, t.job)
		}
	case len(m.tries) > 100_000: // of publishers who did not come again
		clear(m.tries)
	}
	return err
}

// settle tries until the message is done or parked.
func (m *Memory) settle(ctx context.Context, q *memoryQueue, j job, msg Message) error {
	for m.tried(j, 0) < settled {
		w, err := m.worker(ctx, q)
		if err != nil {
			return err
		}
		err = m.try(ctx, w, msg)
		if err == nil {
			m.tried(j, settled)
			m.counters.WorkDone.Add(1)
			break
		}
		if w.ctx.Err() != nil {
			continue // the worker went; the message has done nothing wrong
		}
		m.counters.WorkFailed.Add(1)
		tries := m.tried(j, 1)
		about := []slog.Attr{
			slog.String("queue", j.queue), slog.String("message_id", msg.ID), slog.String("topic", msg.Topic),
			slog.String("key", msg.Key), slog.Int("tries", tries), slog.Any("err", err),
		}
		if tries >= settled {
			m.counters.WorkParked.Add(1)
			m.Log.LogAttrs(ctx, slog.LevelError, "work parked", about...)
			break
		}
		m.Log.LogAttrs(ctx, slog.LevelWarn, "work failed, trying again", about...)
		pause := time.NewTimer(m.Pause << (2 * (tries - 1)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("work of queue %q: %w", j.queue, errors.Join(ctx.Err(), err))
		}
	}
	return nil
}

// tried counts tries of a job and returns their number.
func (m *Memory) tried(j job, more int) int {
	m.work.Lock()
	defer m.work.Unlock()
	if more > 0 {
		m.tries[j] += more
	}
	return m.tries[j]
}

// worker waits for one of the queue's; try lets it go.
func (m *Memory) worker(ctx context.Context, q *memoryQueue) (*memoryWorker, error) {
	for {
		m.work.Lock()
		for range q.workers {
			q.next++
			if w := q.workers[q.next%len(q.workers)]; w.ctx.Err() == nil {
				w.running.Add(1)
				m.work.Unlock()
				return w, nil
			}
		}
		came := q.came
		m.work.Unlock()
		select {
		case <-came:
		case <-ctx.Done():
			return nil, fmt.Errorf("no worker of queue %q: %w", q.Name, ctx.Err())
		}
	}
}

func (m *Memory) try(ctx context.Context, w *memoryWorker, msg Message) error {
	defer w.running.Done()
	bound, cancel := context.WithTimeout(w.ctx, m.Timeout)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return Try(bound, w.do, msg)
}
