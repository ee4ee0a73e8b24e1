package testenv

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Balancer is one address for all nodes. Each connection goes to the next
// node that is healthy, wherever the same client went before. The way to each
// node can fail by itself: thousands of sockets pass here, which is why this
// one does without a Link.
type Balancer struct {
	Addr     string // host:port
	backends []*backend
	listener net.Listener
	ctx      context.Context // its end closes every connection
	all      sync.WaitGroup

	mu   sync.Mutex
	next int
}

// How often a node's health is asked for, and how long it may take to say.
const (
	checkEvery   = 500 * time.Millisecond
	checkTimeout = 2 * time.Second
)

// StartBalancer stands before nodes until the test ends.
func StartBalancer(t T, nodes ...string) *Balancer {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	b := &Balancer{Addr: l.Addr().String(), listener: l, ctx: ctx}
	for _, addr := range nodes {
		n := &backend{addr: addr, healthy: true, pairs: map[*pair]struct{}{}, open: make(chan struct{})}
		close(n.open)
		b.backends = append(b.backends, n)
		b.all.Go(func() { n.watch(ctx) })
	}
	b.all.Go(b.accept)
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		for _, n := range b.backends {
			n.cut()
		}
		b.all.Wait()
	})
	return b
}

// URL is where the nodes answer, together.
func (b *Balancer) URL() string { return "http://" + b.Addr }

// Cut closes the connections to a node, by its number, and makes no more.
func (b *Balancer) Cut(node int) { b.backends[node].cut() }

// Swallow lets nothing through to a node or back, and closes nothing. What
// was sent arrives after Heal, as it would after a network's pause.
func (b *Balancer) Swallow(node int) { b.backends[node].swallow() }

// Slow delays what is sent, each way.
func (b *Balancer) Slow(node int, by time.Duration) { b.backends[node].slow(by) }

// Heal ends Cut, Swallow and Slow.
func (b *Balancer) Heal(node int) { b.backends[node].heal() }

func (b *Balancer) accept() {
	for {
		client, err := b.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // no files left, say
			time.Sleep(10 * time.Millisecond)
		default:
			b.all.Go(func() { b.serve(client) })
		}
	}
}

// serve connects a client to the next node that takes it; healthy ones first.
func (b *Balancer) serve(client net.Conn) {
	b.mu.Lock()
	first := b.next
	b.next++
	b.mu.Unlock()
	for _, ill := range []bool{false, true} {
		for i := range b.backends {
			n := b.backends[(first+i)%len(b.backends)]
			if n.ill() != ill {
				continue
			}
			if p := n.connect(b.ctx, client); p != nil {
				p.run(b.ctx)
				return
			}
		}
	}
	_ = client.Close()
}

// backend is the way to one node.
type backend struct {
	addr string

	mu      sync.Mutex
	healthy bool
	closed  bool          // cut
	open    chan struct{} // closed while data may pass
	delay   time.Duration
	pairs   map[*pair]struct{}
}

func (n *backend) ill() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.healthy
}

// watch asks for the node's health, on the way that its clients take.
func (n *backend) watch(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		healthy := n.passes(ctx) && Asked("http://"+n.addr+"/healthz") == nil
		n.mu.Lock()
		n.healthy = healthy
		n.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// passes says whether a question would get through.
func (n *backend) passes(ctx context.Context) bool {
	n.mu.Lock()
	open, closed := n.open, n.closed
	n.mu.Unlock()
	if closed {
		return false
	}
	select {
	case <-open:
		return true
	case <-ctx.Done():
	case <-time.After(checkTimeout):
	}
	return false
}

// connect is nil if the node does not take the client.
func (n *backend) connect(ctx context.Context, client net.Conn) *pair {
	n.mu.Lock()
	closed := n.closed
	n.mu.Unlock()
	if closed {
		return nil
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", n.addr)
	if err != nil {
		return nil
	}
	p := &pair{n, client, conn}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || ctx.Err() != nil {
		_ = conn.Close()
		return nil
	}
	n.pairs[p] = struct{}{}
	return p
}

func (n *backend) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for p := range n.pairs {
		p.close()
	}
}

func (n *backend) swallow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = make(chan struct{})
}

func (n *backend) slow(by time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = by
}

func (n *backend) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed, n.delay = false, 0
	select {
	case <-n.open:
	default:
		close(n.open)
	}
}

// pass waits until data may go on; false: never.
func (n *backend) pass(ctx context.Context) bool {
	n.mu.Lock()
	open, delay := n.open, n.delay
	n.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	select {
	case <-open:
		return true
	case <-ctx.Done():
		return false
	}
}

// pair is a client's connection and the one to its node.
type pair struct {
	n            *backend
	client, node net.Conn
}

func (p *pair) close() {
	_ = p.client.Close()
	_ = p.node.Close()
}

func (p *pair) run(ctx context.Context) {
	var back sync.WaitGroup
	back.Go(func() { p.copy(ctx, p.client, p.node) })
	p.copy(ctx, p.node, p.client)
	back.Wait()
	p.n.mu.Lock()
	delete(p.n.pairs, p)
	p.n.mu.Unlock()
}

// copy ends both ways together: no client here sends on after it has said
// that it will not.
func (p *pair) copy(ctx context.Context, to io.Writer, from io.Reader) {
	defer p.close()
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.n.pass(ctx) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
