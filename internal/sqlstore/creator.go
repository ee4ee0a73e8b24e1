package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"courier/dispatch"
)

const (
	// lanes is how many transactions of creations run side by side: while one
	// waits for the disk, another one is written.
	lanes = 2
	// laneGroup is the most creations in one of them.
	laneGroup = 256
)

// creator stores new orders on PostgreSQL, all that wait in one transaction.
// Whoever comes first does not wait for others: they gather while the lanes
// are busy.
type creator struct {
	pool  *pool
	queue chan *creation
	lanes errgroup.Group
}

// creation is one Create on its way.
type creation struct {
	dispatch.Creation
	doc    string
	events []message
	state  atomic.Int32 // waiting, taken or abandoned
	done   chan struct{}
	kept   *dispatch.Answer // set before done closes
	err    error            // likewise
}

// message is an event as it is stored and sent.
type message struct {
	dispatch.Event
	data string
	body []byte
}

func startCreator(p *pool) *creator {
	c := &creator{pool: p, queue: make(chan *creation, lanes*laneGroup)}
	for range lanes {
		c.lanes.Go(func() error { c.lane(); return nil })
	}
	return c
}

// close ends the lanes. Nobody may call create any more.
func (c *creator) close() {
	close(c.queue)
	_ = c.lanes.Wait() // they have no errors
}

// create hands a creation to a lane and waits for what became of it.
func (c *creator) create(ctx context.Context, what dispatch.Creation) (*dispatch.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	one, err := newCreation(what)
	if err != nil {
		return nil, err
	}
	if !c.pool.enter() {
		return nil, ErrClosed
	}
	defer c.pool.running.Done()
	bound, cancel := context.WithTimeout(ctx, c.pool.timeout)
	defer cancel()
	select {
	case c.queue <- one:
	case <-bound.Done():
		one.state.Store(abandoned)
	}
	select {
	case <-one.done:
		return one.kept, one.err
	case <-bound.Done():
	}
	begun := !one.state.CompareAndSwap(waiting, abandoned) && one.state.Load() == taken
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !begun:
		return nil, fmt.Errorf("%w: others took too long", dispatch.ErrUnavailable)
	}
	<-one.done // the lane's own bound has begun later, but it has one
	return one.kept, one.err
}

// newCreation encodes what is to be stored, in the caller's time rather than
// in a lane's.
func newCreation(what dispatch.Creation) (one *creation, err error) {
	if err := checkSave(what.Order, 0, what.Events); err != nil {
		return nil, err
	}
	one = &creation{Creation: what, done: make(chan struct{}), events: make([]message, len(what.Events))}
	if one.doc, err = encodeOrder(what.Order); err != nil {
		return nil, err
	}
	for i, e := range what.Events {
		data, body, err := encodeEvent(e)
		if err != nil {
			return nil, err
		}
		one.events[i] = message{e, data, body}
	}
	return one, nil
}

// lane stores what waits until the queue is closed.
func (c *creator) lane() {
	for first := range c.queue {
		batch := []*creation{first}
		for more := true; more && len(batch) < laneGroup; {
			select {
			case next, open := <-c.queue:
				if more = open; open {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		batch = slices.DeleteFunc(batch, func(one *creation) bool { return !one.state.CompareAndSwap(waiting, taken) })
		// In the order of the keys, so that transactions which have some in
		// common wait for one another in one direction.
		slices.SortStableFunc(batch, func(a, b *creation) int {
			return cmp.Or(cmp.Compare(a.Answer.Scope, b.Answer.Scope), cmp.Compare(a.Answer.Key, b.Answer.Key))
		})
		bound, cancel := context.WithTimeout(context.Background(), c.pool.timeout)
		c.store(bound, batch)
		cancel()
	}
}

// store answers each of a batch: in one statement, which is all where keys are
// new, else in a transaction that tells new keys from known ones. One that is
// refused must not cost its neighbours: the batch is halved until it is alone.
func (c *creator) store(bound context.Context, batch []*creation) {
	if len(batch) == 0 {
		return
	}
	batch, rest := distinctKeys(batch)
	err, lost := c.once(bound, batch)
	if err != nil {
		err = c.pool.insist(context.Background(), bound, func(t *tx) error { return t.create(batch) })
	}
	if lost && err == nil {
		for _, one := range batch { // it had been done: that answer is this one's own
			if one.kept != nil && bytes.Equal(one.kept.Hash, one.Answer.Hash) && bytes.Equal(one.kept.Body, one.Answer.Body) {
				one.kept = nil
			}
		}
	}
	if err != nil && !errors.Is(err, dispatch.ErrUnavailable) && len(batch) > 1 {
		c.store(bound, batch[:len(batch)/2])
		c.store(bound, batch[len(batch)/2:])
	} else {
		answer(batch, err)
	}
	if errors.Is(err, dispatch.ErrUnavailable) {
		answer(rest, err)
	} else {
		c.store(bound, rest) // sees what was answered to the first of its key
	}
}

// once tries it in one round trip. Lost: it may have been done.
func (c *creator) once(bound context.Context, batch []*creation) (err error, lost bool) { //nolint:revive // the error is the result
	conn, err := c.pool.db.Conn(bound)
	if err != nil {
		return err, false
	}
	defer conn.Close()
	_, err = conn.ExecContext(bound, createOrders, append(orderColumnsOf(batch, c.pool.store.node), answerColumns(batch)...)...)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		c.pool.store.signalCommitted()
		return nil, false
	case errors.Is(err, driver.ErrBadConn), errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR":
		return err, false
	}
	return err, true
}

// distinctKeys is the first of each key; and the others.
func distinctKeys(sorted []*creation) (firsts, rest []*creation) {
	for i, one := range sorted {
		if i > 0 && one.Answer.Scope == sorted[i-1].Answer.Scope && one.Answer.Key == sorted[i-1].Answer.Key {
			rest = append(rest, one)
		} else {
			firsts = append(firsts, one)
		}
	}
	return firsts, rest
}

func answer(batch []*creation, err error) {
	for _, one := range batch {
		if one.err = err; err != nil {
			one.kept = nil
		}
		close(one.done)
	}
}
