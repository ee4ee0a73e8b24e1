package main

import (
	"context"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"courier/dispatch"
	"courier/dispatch/match"
	"courier/internal/replay"
	"courier/internal/sim/city"
	"courier/internal/sim/scenario"
)

// city compares matchers over evenings of the made city.
func (c replayCommand) city(ctx context.Context, s *streams, wrong *settings) error {
	couriers, err := strconv.Atoi(c.Couriers)
	if c.Couriers == "" {
		couriers, err = 40, nil
	}
	if err != nil || couriers < 1 {
		wrong.add("couriers", "%q is no number over 0", c.Couriers)
	}
	if c.Seeds < 1 {
		wrong.add("seeds", "%d is under 1", c.Seeds)
	}
	if c.Futures < 1 {
		wrong.add("futures", "%d is under 1", c.Futures)
	}
	for flag, d := range map[string]time.Duration{"duration": c.Duration, "lead": c.Lead, "target": c.Target} {
		if d <= 0 {
			wrong.add(flag, "%v is not over 0", d)
		}
	}
	if !(c.OrdersPerHour > 0) {
		wrong.add("orders-per-hour", "%v is not over 0", c.OrdersPerHour)
	}
	options, err := c.options()
	if err != nil {
		wrong.add("travel-speed", "%v", err)
		return wrong.err()
	}
	if options, err = match.Set(options, c.Set); err != nil {
		wrong.add("set", "%v", err)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	config := replay.ContestConfig{
		Contenders: replay.Ablation(options, c.Futures),
		Every:      c.Every, Lead: c.Lead, Target: c.Target, Seed: c.Seed, Processor: processorTime,
	}
	if config.Every == 0 {
		config.Every = 10 * time.Second
	}
	orders := 0
	for i := range c.Seeds {
		h, err := c.evening(c.Seed+uint64(i), couriers)
		if err != nil {
			return err
		}
		config.Histories = append(config.Histories, h)
		orders += len(h.Orders)
	}
	fmt.Fprintf(s.out, "%d evenings of %d couriers and %d orders on average, a round every %v\n\n",
		c.Seeds, couriers, orders/c.Seeds, config.Every)
	if err := replay.WriteHeader(s.out); err != nil {
		return err
	}
	return replay.Contest(ctx, config, func(e replay.Entry) error { return e.WriteText(s.out) })
}

// graceOfCity is how long couriers stay when no more orders come.
const graceOfCity = time.Hour

// evening is a made city's, as if a store had recorded it.
func (c replayCommand) evening(seed uint64, couriers int) (*replay.History, error) {
	town, err := city.New(city.Config{Seed: seed})
	if err != nil {
		return nil, err
	}
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(c.DayFrom)
	made, err := scenario.NewCity(scenario.CityConfig{
		City: town, Seed: seed, Couriers: couriers, OrdersPerHour: c.OrdersPerHour, Duration: c.Duration,
		Start: from, DayFrom: c.DayFrom, Skills: []string{"coldbox"},
	})
	if err != nil {
		return nil, fmt.Errorf("make a city: %w", err)
	}
	var orders []dispatch.Order
	for o, ok := made.Next(); ok; o, ok = made.Next() {
		order := dispatch.Order{
			ID: fmt.Sprintf("%06d", len(orders)+1), Pickup: dispatch.Place{Point: o.Pickup.Point}, Dropoff: dispatch.Place{Point: o.Dropoff.Point},
			ReadyAt: from.Add(o.Ready), Size: o.Size, Requirements: dispatch.Requirements{Vehicles: o.Vehicles, Skills: o.Skills},
			Times: map[dispatch.Status]time.Time{dispatch.Placed: from.Add(o.At)},
		}
		if o.DeliverBy > 0 {
			by := from.Add(o.DeliverBy)
			order.DeliverBy = &by
		}
		orders = append(orders, order)
	}
	var workers []replay.Worker
	for i, w := range made.Couriers() {
		workers = append(workers, replay.Worker{
			Courier: dispatch.Courier{ID: fmt.Sprintf("c%04d", i+1), Name: w.Name, Vehicle: w.Vehicle, Capacity: w.Capacity, Skills: w.Skills},
			Spans:   []replay.Span{{From: from.Add(w.From), To: from.Add(c.Duration + graceOfCity), At: w.At}},
		})
	}
	return replay.MadeHistory(from, from.Add(c.Duration), orders, workers), nil
}

// processorTime is the process's so far; 0 where the system does not tell.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
