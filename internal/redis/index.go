package redis

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"courier/geo"
	"courier/tracking"
)

const (
	// shards of couriers: so many servers of a cluster can share the work.
	shards = 16
	// scriptFixes bounds the arguments of one script: Lua unpacks 8,000.
	scriptFixes = 1000
)

// Index is a tracking.Index that all nodes share.
//
// A courier's shard holds its record and decides which fix is newest. Regions
// follow: their GEO sets say who may be where, and every answer is checked
// against the records. So a node that dies between the two leaves nothing
// wrong, only a courier that is not found until its next fix.
type Index struct {
	db    *DB
	count callCounters
}

// NewIndex is an index in db.
func NewIndex(db *DB) *Index { return &Index{db: db} }

func shardOf(courier string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(courier))
	return int(h.Sum32() % shards)
}

func (x *Index) shardKeys(shard int) []string {
	tag := "c" + strconv.Itoa(shard)
	return []string{x.db.key(tag, "fixes"), x.db.key(tag, "heard")}
}

func (x *Index) regionKeys(region geo.Cell) []string {
	tag := region.String()
	return []string{x.db.key(tag, "geo"), x.db.key(tag, "seq")}
}

// regionsKey is a sorted set of the regions that have couriers.
func (x *Index) regionsKey() string { return x.db.key("regions", "seen") }

// Move implements tracking.Index. It fails, and takes nothing, for what is no
// place on Earth. When it fails otherwise, some fixes may have been taken;
// moving them again is right.
func (x *Index) Move(ctx context.Context, fixes []tracking.Fix) error {
	newest, err := newestOf(fixes)
	if err != nil {
		return err
	}
	calls := x.moveCalls(newest)
	err = x.db.run(ctx, calls.list())
	steps := make(regionSteps)
	for _, c := range calls {
		err = errors.Join(err, steps.moved(c))
	}
	// Also after an error: what shards took, regions should know.
	return x.count.done(wrap("move couriers", errors.Join(err, x.db.run(ctx, x.stepCalls(steps)))))
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// located is a fix and the region it lies in.
type located struct {
	fix    *tracking.Fix
	region geo.Cell
}

// newestOf is the newest fix of each courier, the first of those alike, by
// shard.
func newestOf(fixes []tracking.Fix) (out [shards][]located, err error) {
	place := make(map[string]int, len(fixes)) // in its shard
	for i := range fixes {
		f := &fixes[i]
		if err := f.Point.Validate(); err != nil {
			return out, fmt.Errorf("move courier %s: %w", f.Courier, err)
		}
		shard := shardOf(f.Courier)
		if at, there := place[f.Courier]; !there {
			place[f.Courier] = len(out[shard])
			out[shard] = append(out[shard], located{fix: f})
		} else if f.Time.After(out[shard][at].fix.Time) {
			out[shard][at].fix = f
		}
	}
	for _, newest := range out {
		for i := range newest {
			if newest[i].region, err = geo.CellOf(newest[i].fix.Point, geo.RegionResolution); err != nil {
				return out, fmt.Errorf("move courier %s: %w", newest[i].fix.Courier, err)
			}
		}
	}
	return out, nil
}

type moveCall struct {
	call
	fixes []located
}

type moveCalls []*moveCall

func (m moveCalls) list() []*call {
	out := make([]*call, len(m))
	for i := range m {
		out[i] = &m[i].call
	}
	return out
}

func (x *Index) moveCalls(newest [shards][]located) (calls moveCalls) {
	for shard := range newest {
		for some := range slices.Chunk(newest[shard], scriptFixes) {
			args := make([]any, 2, 2+3*len(some))
			last := some[0].fix.Received
			for _, l := range some {
				blob := make([]byte, 0, 8+bodySize)
				blob = binary.BigEndian.AppendUint64(blob, uint64(l.region))
				args = append(args, l.fix.Courier, l.fix.Received.UnixMicro(), appendBody(blob, l.fix))
				if l.fix.Received.After(last) {
					last = l.fix.Received
				}
			}
			args[0], args[1] = x.keep(), last.Add(-x.db.config.Retention).UnixMicro()
			calls = append(calls, &moveCall{call{script: moveScript, keys: x.shardKeys(shard), args: args}, some})
		}
	}
	return calls
}

func (x *Index) keep() int64 { return x.db.config.Retention.Milliseconds() }

// regionSteps is what is to be done to each region.
type regionSteps map[geo.Cell]*regionStep

type regionStep struct {
	come, stay []any // courier, sequence, longitude, latitude of each
	leave      []any // courier, sequence of each
}

func (s regionSteps) at(region geo.Cell) *regionStep {
	step := s[region]
	if step == nil {
		step = new(regionStep)
		s[region] = step
	}
	return step
}

func sequence(s string) string {
	return strconv.FormatFloat(doubleAt([]byte(s), 0), 'f', 0, 64)
}

// moved adds what follows from a shard's answer.
func (s regionSteps) moved(c *moveCall) error {
	if c.result.Err() != nil {
		return nil // is reported already
	}
	answers, err := c.result.StringSlice()
	if err != nil || len(answers) != len(c.fixes) {
		return fmt.Errorf("answer for %d fixes: %w: %w", len(c.fixes), err, errBroken)
	}
	for i, a := range answers {
		if len(a) != 16 {
			continue // not newer
		}
		l, seq := c.fixes[i], sequence(a)
		to, before := s.at(l.region), cellAt(a, 8)
		list := &to.come
		if before == l.region {
			list = &to.stay
		}
		*list = append(*list, l.fix.Courier, seq, l.fix.Lng, min(max(l.fix.Lat, -geoLimit), geoLimit))
		if before != 0 && before != l.region {
			from := s.at(before)
			from.leave = append(from.leave, l.fix.Courier, seq)
		}
	}
	return nil
}

func (x *Index) stepCalls(steps regionSteps) (calls []*call) {
	touch := []any{x.keep()}
	for region, step := range steps {
		if len(step.come)+len(step.stay) > 0 {
			touch = append(touch, region.String())
		}
		keys := x.regionKeys(region)
		send := func(come, stay int, args []any) {
			calls = append(calls, &call{script: regionScript, keys: keys, args: append([]any{x.keep(), come, stay}, args...)})
		}
		// One call, and one GEOADD in it, unless there are very many.
		if len(step.come)+len(step.stay) <= 4*scriptFixes && len(step.leave) <= 2*scriptFixes {
			send(len(step.come)/4, len(step.stay)/4, slices.Concat(step.come, step.stay, step.leave))
			continue
		}
		for some := range slices.Chunk(step.come, 4*scriptFixes) {
			send(len(some)/4, 0, some)
		}
		for some := range slices.Chunk(step.stay, 4*scriptFixes) {
			send(0, len(some)/4, some)
		}
		for some := range slices.Chunk(step.leave, 2*scriptFixes) {
			send(0, 0, some)
		}
	}
	for some := range slices.Chunk(touch[1:], scriptFixes) {
		calls = append(calls, &call{script: touchScript, keys: []string{x.regionsKey()}, args: append([]any{x.keep()}, some...)})
	}
	return calls
}

func byShard(couriers []string) (out [shards][]string) {
	for _, courier := range couriers {
		shard := shardOf(courier)
		out[shard] = append(out[shard], courier)
	}
	return out
}

// Remove implements tracking.Index.
func (x *Index) Remove(ctx context.Context, couriers ...string) error {
	type removeCall struct {
		call
		couriers []string
	}
	var removals []*removeCall
	var calls []*call
	for shard, all := range byShard(couriers) {
		for some := range slices.Chunk(all, scriptFixes) {
			args := make([]any, len(some))
			for i := range some {
				args[i] = some[i]
			}
			r := &removeCall{call{script: removeScript, keys: x.shardKeys(shard), args: args}, some}
			removals, calls = append(removals, r), append(calls, &r.call)
		}
	}
	err := x.db.run(ctx, calls)
	steps := make(regionSteps)
	for _, r := range removals {
		answers, _ := r.result.StringSlice()
		for i, a := range answers {
			if len(a) == recordHead {
				step := steps.at(cellAt(a, 16))
				step.leave = append(step.leave, r.couriers[i], sequence(a))
			}
		}
	}
	return x.count.done(wrap("remove couriers", errors.Join(err, x.db.run(ctx, x.stepCalls(steps)))))
}

// Last implements tracking.Index.
func (x *Index) Last(ctx context.Context, couriers ...string) ([]tracking.Fix, error) {
	records, err := x.records(ctx, couriers)
	if x.count.done(err) != nil {
		return nil, fmt.Errorf("last fixes: %w", err)
	}
	out := make([]tracking.Fix, 0, len(records))
	for _, courier := range couriers {
		if r, ok := records[courier]; ok {
			out = append(out, r.fix)
		}
	}
	return out, nil
}

// records are those held of couriers. One that is not readable is left out:
// the courier's next fix replaces it.
func (x *Index) records(ctx context.Context, couriers []string) (map[string]record, error) {
	if len(couriers) == 0 {
		return nil, nil
	}
	pipe := x.db.client.Pipeline()
	type question struct {
		couriers []string
		answer   *redis.SliceCmd
	}
	var questions []question
	for shard, all := range byShard(couriers) {
		for some := range slices.Chunk(all, scriptFixes) {
			questions = append(questions, question{some, pipe.HMGet(ctx, x.shardKeys(shard)[0], some...)})
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	out := make(map[string]record, len(couriers))
	for _, q := range questions {
		for i, v := range q.answer.Val() {
			s, ok := v.(string)
			if !ok {
				continue
			}
			if r, err := readRecord(q.couriers[i], s); err == nil {
				out[q.couriers[i]] = r
			}
		}
	}
	return out, nil
}

// Stale implements tracking.Index; the longest silent come first.
func (x *Index) Stale(ctx context.Context, before time.Time, limit int) ([]string, error) {
	if limit < 1 {
		return nil, nil
	}
	pipe := x.db.client.Pipeline()
	var answers []*redis.ZSliceCmd
	until := "(" + strconv.FormatInt(before.UnixMicro(), 10)
	for shard := range shards {
		answers = append(answers, pipe.ZRangeByScoreWithScores(ctx, x.shardKeys(shard)[1],
			&redis.ZRangeBy{Min: "-inf", Max: until, Count: int64(limit)}))
	}
	if _, err := pipe.Exec(ctx); x.count.done(err) != nil {
		return nil, fmt.Errorf("stale couriers: %w", err)
	}
	var all []redis.Z
	for _, a := range answers {
		all = append(all, a.Val()...)
	}
	slices.SortFunc(all, func(a, b redis.Z) int {
		if a.Score != b.Score {
			return int(min(max(a.Score-b.Score, -1), 1))
		}
		return strings.Compare(a.Member.(string), b.Member.(string))
	})
	var out []string
	for _, z := range all[:min(limit, len(all))] {
		out = append(out, z.Member.(string))
	}
	return out, nil
}
