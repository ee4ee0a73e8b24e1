package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"courier/internal/bus"
	"courier/internal/rabbitmq"
	"courier/internal/telemetry"
)

// parkedCommand is for a person who has seen courier_bus_work_parked_depth.
type parkedCommand struct {
	AMQPURL string `name:"amqp-url" required:"" help:"RabbitMQ that all nodes share." placeholder:"URL"`
	Queue   string `default:"links" help:"Which work: links."`
	Limit   int    `default:"100" help:"How many messages at most."`
	Retry   bool   `help:"Give them to the nodes again, instead of listing them."`
}

// Run lists what is parked, or gives it again.
func (c parkedCommand) Run(ctx context.Context, s *streams, wrong *settings) (err error) {
	if !slices.ContainsFunc(queues(), func(q bus.Queue) bool { return q.Name == c.Queue }) {
		wrong.add("queue", "%q is no work that nodes do", c.Queue)
	}
	if c.Limit < 1 {
		wrong.add("limit", "%d is not over 0", c.Limit)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	log, err := telemetry.NewLogger(s.err, "warn", "text")
	if err != nil {
		return err
	}
	broker, err := rabbitmq.Open(ctx, rabbitmq.Config{URL: c.AMQPURL, Name: "dispatch parked"}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, broker.Close()) }()
	if c.Retry {
		n, err := broker.Retry(ctx, c.Queue, c.Limit)
		fmt.Fprintf(s.out, "%d given again\n", n)
		return err
	}
	parked, err := broker.Parked(ctx, c.Queue, c.Limit)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "MESSAGE\tTOPIC\tKEY\tTIME\tREASON")
	for _, p := range parked {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Topic, p.Key, p.Time.UTC().Format(time.RFC3339), p.Reason)
	}
	return table.Flush()
}
