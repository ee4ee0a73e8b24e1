package main

import (
	"context"
	"errors"
	"log/slog"

	"courier/internal/bus"
	"courier/internal/clock"
	"courier/internal/sqlstore"
	"courier/tracking"
)

// engines are what a node keeps things in: embedded ones, or those that the
// URLs name.
type engines struct {
	store   *sqlstore.Store
	index   tracking.Index
	feed    tracking.Feed
	bus     bus.Bus
	closers []func() error // last opened, first closed
}

func openEngines(ctx context.Context, f serverFlags, clk clock.Clock, _ *slog.Logger) (e engines, err error) {
	if e.store, err = sqlstore.Open(ctx, sqlstore.Config{Dir: f.DataDir, Now: clk.Now}); err != nil {
		return e, err
	}
	e.closers = append(e.closers, e.store.Close)
	e.index, e.feed = tracking.NewMemory(), tracking.NewMemoryFeed()
	e.bus = bus.NewMemory(bus.MemoryConfig{})
	return e, nil
}

func (e engines) close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i]())
	}
	return errors.Join(errs...)
}
