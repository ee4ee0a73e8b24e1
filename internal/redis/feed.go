package redis

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"courier/geo"
	"courier/tracking"
)

// lanes of the feed: all channels of one share a slot and, in each node, a
// connection.
const lanes = 8

// everything is the lane of the channel that has the fixes of all regions.
const everything = lanes

// everywhere is the cell that stands for all regions.
const everywhere geo.Cell = 0

// Feed is a tracking.Feed over all nodes.
//
// Watchers hang on a tracking.MemoryFeed. It gets this node's fixes at once,
// Redis or not, and those of other nodes from the channels of the regions
// that someone here watches. What other nodes publish while Redis is away, or
// a connection to it breaks, does not arrive: the index has the newest.
type Feed struct {
	db     *DB
	id     uint64 // tells own messages from others'
	local  *tracking.MemoryFeed
	cancel context.CancelFunc
	done   sync.WaitGroup

	alone atomic.Bool // nobody watched all regions when this node last published
	count feedCounters

	mu       sync.Mutex
	watched  map[geo.Cell]int // how many watchers
	lanes    [lanes + 1]*lane
	silenced bool // nothing but the channel of all regions is wanted
}

// NewFeed is a feed over db. Close it before db.
func NewFeed(db *DB) *Feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &Feed{
		db: db, id: rand.Uint64() | 1, local: tracking.NewMemoryFeed(),
		cancel: cancel, watched: make(map[geo.Cell]int),
	}
	for i := range f.lanes {
		f.lanes[i] = newLane(f)
		f.done.Go(func() { f.lanes[i].run(ctx) })
	}
	return f
}

// Close ends the subscriptions. Watchers stay open until they are closed;
// they get what this node publishes.
func (f *Feed) Close() {
	f.cancel()
	f.done.Wait()
}

func laneOf(region geo.Cell) int {
	h := fnv.New32a() // of the area: who watches a town needs few connections
	_, _ = h.Write([]byte(region.Parent(geo.AreaResolution).String()))
	return int(h.Sum32() % lanes)
}

func (f *Feed) channel(region geo.Cell) string {
	if region == everywhere {
		return f.db.key("all", "feed")
	}
	return f.db.key("f"+strconv.Itoa(laneOf(region)), "feed:"+region.String())
}

// Publish implements tracking.Feed. Watchers of this node get the fixes even
// if it fails for want of Redis.
func (f *Feed) Publish(ctx context.Context, fixes []tracking.Fix) error {
	if len(fixes) == 0 {
		return nil
	}
	groups, err := tracking.ByRegion(fixes)
	if err != nil {
		return err
	}
	f.local.PublishGroups(fixes, groups)
	// Who watches everything hears of it on a channel of its own. While nobody
	// does, all that it carries is an empty message, which says so if that has
	// changed: Redis answers how many it went to.
	alone := f.alone.Load() && f.db.counts()
	pipe := f.db.client.Pipeline()
	for region, group := range groups {
		f.send(ctx, pipe, region, group)
	}
	var asked *redis.IntCmd
	if alone {
		asked = f.publish(ctx, pipe, everywhere, "")
	} else {
		asked = f.send(ctx, pipe, everywhere, fixes)
	}
	err = f.exec(ctx, pipe)
	if alone && err == nil && asked.Val() > 0 {
		pipe = f.db.client.Pipeline()
		f.send(ctx, pipe, everywhere, fixes)
		err = f.exec(ctx, pipe)
	}
	f.alone.Store(err == nil && asked.Val() == 0)
	return wrap("publish fixes", err)
}

// send publishes fixes to a region's channel. It returns the last answer.
func (f *Feed) send(ctx context.Context, pipe redis.Pipeliner, region geo.Cell, fixes []tracking.Fix) (answer *redis.IntCmd) {
	for some := range slices.Chunk(fixes, messageFixes) {
		if slices.ContainsFunc(some, followed) {
			var of []tracking.Fix
			if some, of = apart(some); len(some) == 0 {
				answer = f.publish(ctx, pipe, region, encodeFollowed(f.id, of))
				continue
			}
			f.publish(ctx, pipe, region, encodeFollowed(f.id, of))
		}
		answer = f.publish(ctx, pipe, region, encodeMessage(f.id, some))
	}
	return answer
}

func (f *Feed) publish(ctx context.Context, pipe redis.Pipeliner, region geo.Cell, message any) *redis.IntCmd {
	if f.db.sharded {
		return pipe.SPublish(ctx, f.channel(region), message)
	}
	return pipe.Publish(ctx, f.channel(region), message)
}

func (f *Feed) exec(ctx context.Context, pipe redis.Pipeliner) error {
	messages := uint64(pipe.Len()) //nolint:gosec // not negative
	_, err := pipe.Exec(ctx)
	f.count.calls.Add(1)
	if err != nil {
		f.count.failures.Add(1)
	} else {
		f.count.sent.Add(messages)
	}
	return err
}

// receive hands another node's message to the watchers here.
func (f *Feed) receive(ctx context.Context, channel, message string) error {
	f.count.received.Add(1)
	if message == "" || senderOf(message) == f.id { // asks who is there, or is our own
		return nil
	}
	fixes, err := decodeMessage(message)
	if err != nil {
		return err
	}
	if region, err := geo.ParseCell(channel[strings.LastIndexByte(channel, ':')+1:]); err == nil {
		f.local.PublishGroups(fixes, map[geo.Cell][]tracking.Fix{region: fixes})
		return nil
	}
	return f.local.Publish(ctx, fixes)
}

// Subscribe implements tracking.Feed.
func (f *Feed) Subscribe() tracking.Watcher {
	return &watcher{Watcher: f.local.Subscribe(), feed: f}
}

// watcher counts what a local watcher watches.
type watcher struct {
	tracking.Watcher
	feed    *Feed
	mu      sync.Mutex
	closed  bool
	regions []geo.Cell
}

// Watch implements tracking.Watcher. Other nodes' fixes begin to come as soon
// as Redis has taken the subscription.
func (w *watcher) Watch(regions ...geo.Cell) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	regions = slices.Clone(regions)
	slices.Sort(regions)
	regions = slices.Compact(regions)
	w.Watcher.Watch(regions...)
	w.feed.replace(w.regions, regions)
	w.regions = regions
}

// Close implements tracking.Watcher.
func (w *watcher) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		w.Watcher.Close()
		w.feed.replace(w.regions, nil)
	}
}

// replace counts a watcher out of some regions and into others, and tells the
// lanes what they are to subscribe to.
func (f *Feed) replace(before, after []geo.Cell) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var changed []geo.Cell
	for _, region := range after {
		if f.watched[region]++; f.watched[region] == 1 {
			changed = append(changed, region)
		}
	}
	for _, region := range before {
		if f.watched[region]--; f.watched[region] == 0 {
			delete(f.watched, region)
			changed = append(changed, region)
		}
	}
	// Whoever gets the fixes of all regions needs no other channel.
	all := f.watched[everywhere] > 0
	if all != f.silenced {
		f.silenced = all
		changed = changed[:0]
		for region := range f.watched {
			changed = append(changed, region)
		}
		changed = append(changed, everywhere)
		changed = append(changed, before...)
	}
	for _, region := range changed {
		l := f.lanes[everything]
		if region != everywhere {
			l = f.lanes[laneOf(region)]
		}
		l.want(f.channel(region), f.watched[region] > 0 && (region == everywhere || !all))
	}
}
