package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// connections measures S6: the memory of customers who only wait.
func connections(ctx context.Context, r *run) error {
	customers := size(r, r.Customers, 5000, 100)
	res, err := r.idleCustomers(ctx, customers)
	if err != nil {
		return err
	}
	bare, err := r.idleFloor(ctx, customers)
	if err != nil {
		return err
	}
	res.against(bare)
	res.atMost("S6", 12, "12 KiB")
	return r.emit(res)
}

// held is a process's memory after a collection, in bytes.
type held struct {
	inUse  float64 // heap and stacks; 0: out of reach
	memory memory
}

func (r *run) held(ctx context.Context, t *Target) (h held, err error) {
	if t.Admin != "" {
		for range 2 { // finalizers run between two
			if err := collect(ctx, t.Admin); err != nil {
				return h, err
			}
		}
		f, err := scrape(ctx, t.Admin)
		if err != nil {
			return h, err
		}
		h.inUse = f["go_memstats_heap_inuse_bytes"] + f["go_memstats_stack_inuse_bytes"]
	}
	if t.PID != 0 {
		h.memory, err = memoryOf(t.PID)
	}
	return h, err
}

func (r *run) idleCustomers(ctx context.Context, n int) (res Result, err error) {
	t, err := r.server(ctx)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, r.leave(t)) }()
	p, err := newPeople(ctx, t)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	r.Told("%s: %d orders with a link each", r.scenario, n)
	parcels, err := p.parcels(ctx, n)
	if err != nil {
		return res, err
	}
	if !sleep(ctx, time.Now().Add(r.Warm)) {
		return res, ctx.Err()
	}
	before, err := r.held(ctx, t)
	if err != nil {
		return res, err
	}
	r.Told("%s: their customers connect and wait", r.scenario)
	if err := p.watch(ctx, parcels, func(int, []byte, time.Time) {}); err != nil {
		return res, err
	}
	if !sleep(ctx, time.Now().Add(r.Warm)) {
		return res, ctx.Err()
	}
	after, err := r.held(ctx, t)
	if err != nil {
		return res, err
	}
	each := func(bytes float64) float64 { return bytes / 1024 / float64(n) }
	resident := each(float64(after.memory.resident - before.memory.resident))
	res = r.result(fmt.Sprintf("memory a connected idle customer, %d of them", n), "KiB", each(after.inUse-before.inUse))
	if before.inUse == 0 {
		res.Value = resident
	}
	res.Count, res.Resident, res.PSS = int64(n), mib(after.memory.resident), mib(after.memory.proportional)
	res.more("resident_kib", resident)
	return res, nil
}

func (r *run) idleFloor(ctx context.Context, n int) (out Floor, err error) {
	f, err := r.floor(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	before, err := f.figures(ctx, true)
	if err != nil {
		return out, err
	}
	p := &people{}
	defer p.hangUp()
	err = each(ctx, n, func(ctx context.Context, _ int) error {
		s, err := dial(ctx, f.address(), "/fan", "")
		if err == nil {
			p.keep(s)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	if err := f.open(ctx, n); err != nil {
		return out, err
	}
	after, err := f.figures(ctx, true)
	return Floor{What: "gorilla/websocket, a goroutine that reads", Value: float64(after.InUse-before.InUse) / 1024 / float64(n)}, err
}
