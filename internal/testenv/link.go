package testenv

import (
	"bytes"
	"context"
	"fmt"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Link is the way from a node to an engine, which can fail by itself.
type Link struct {
	Addr  string // host:port to connect to instead
	t     T
	proxy *toxiproxy.Proxy
}

// StartLink makes a way to an address, open until the test ends.
func StartLink(t T, name, to string) *Link {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // its bandwidth knows no other logger than the global one
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	addr := fmt.Sprintf("127.0.0.1:%d", FreePort(t)) // the same after a cut
	l := &Link{t: t, Addr: addr, proxy: toxiproxy.NewProxy(server, name, addr, to)}
	l.Join()
	t.Cleanup(l.Cut)
	return l
}

// Cut closes what is open and refuses what is new.
func (l *Link) Cut() { l.proxy.Stop() }

// Join ends a cut.
func (l *Link) Join() {
	l.t.Helper()
	if err := l.proxy.Start(); err != nil {
		l.t.Fatalf("open the link %s: %v", l.proxy.Name, err)
	}
}

// Swallow lets connections be made and swallows whatever is sent on any,
// without a word to either side.
func (l *Link) Swallow() {
	l.t.Helper()
	l.add("timeout", `{"timeout":0}`)
}

// Slow delays whatever is sent, each way, by about so much, and lets 1 MB a
// second through.
func (l *Link) Slow(by time.Duration) {
	l.t.Helper()
	l.add("latency", fmt.Sprintf(`{"latency":%d,"jitter":%d}`, by.Milliseconds(), by.Milliseconds()/2))
	l.add("bandwidth", `{"rate":1024}`)
}

// Heal ends Swallow and Slow. Connections that have lost something are
// closed.
func (l *Link) Heal() { l.proxy.Toxics.ResetToxics(context.Background()) }

func (l *Link) add(kind, attributes string) {
	l.t.Helper()
	for _, way := range []string{"upstream", "downstream"} {
		toxic := fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":%s}`, kind, way, attributes)
		if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewBufferString(toxic)); err != nil {
			l.t.Fatalf("%s on the link %s: %v", kind, l.proxy.Name, err)
		}
	}
}
