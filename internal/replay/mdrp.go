package replay

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"courier/dispatch/match"
	"courier/internal/mdrp"
)

// MDRPConfig says which instances to replay and how.
type MDRPConfig struct {
	Instances []*mdrp.Instance // names are unique
	Options   match.Options    // see MDRPOptions; the router and the service times are each instance's own
	Seed      uint64
	Every     time.Duration // between rounds, whole minutes; default one
	Parallel  int           // instances at a time; default GOMAXPROCS
	// Done, if set, is told of each solution, in the order of Instances. An
	// error ends the replay.
	Done func(Solution) error
}

func (c MDRPConfig) validate() error {
	var errs []error
	seen := map[string]bool{}
	for _, in := range c.Instances {
		if seen[in.Name] {
			errs = append(errs, fmt.Errorf("Instances: two are called %s", in.Name))
		}
		seen[in.Name] = true
	}
	if len(c.Instances) == 0 {
		errs = append(errs, errors.New("Instances: none"))
	}
	if c.Every < time.Minute || c.Every%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("Every: %v is no number of whole minutes", c.Every))
	}
	if c.Parallel < 1 {
		errs = append(errs, fmt.Errorf("Parallel: %d is under 1", c.Parallel))
	}
	errs = append(errs, c.Options.Validate())
	return errors.Join(errs...)
}

// Solution is a day as it was carried out.
type Solution struct {
	Instance *mdrp.Instance
	Tasks    []Task // in order of time
	Took     time.Duration
}

// MDRP replays the instances, several at a time.
func MDRP(ctx context.Context, c MDRPConfig) error {
	if c.Every == 0 {
		c.Every = time.Minute
	}
	if c.Parallel == 0 {
		c.Parallel = runtime.GOMAXPROCS(0)
	}
	if err := c.validate(); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	done := make([]chan Solution, len(c.Instances))
	for i := range done {
		done[i] = make(chan Solution, 1)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return tell(ctx, done, c.Done) })
	g.Go(func() error {
		workers, ctx := errgroup.WithContext(ctx)
		workers.SetLimit(c.Parallel)
		for i, in := range c.Instances {
			workers.Go(func() error {
				begun := time.Now()
				d := newDay(in, c.Options, c.Seed)
				if err := d.run(ctx, int(c.Every/time.Minute)); err != nil {
					return err
				}
				done[i] <- Solution{Instance: in, Tasks: d.tasks, Took: time.Since(begun)}
				return nil
			})
		}
		return workers.Wait()
	})
	return g.Wait()
}

// tell passes solutions on in order.
func tell(ctx context.Context, done []chan Solution, to func(Solution) error) error {
	for _, ch := range done {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-ch:
			if to == nil {
				continue
			}
			if err := to(s); err != nil {
				return err
			}
		}
	}
	return nil
}
