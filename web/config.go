package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"courier/dispatch"
	"courier/geo"
)

// Config is what a Server tells its clients and how it treats them. A zero
// duration or limit takes its default.
type Config struct {
	Version string        // of the program
	Mode    dispatch.Mode // shown to pages
	Demo    bool          // shown to pages
	// PublicURL is where customers reach this server ("https://go.example"),
	// for tracking links. Empty: what the request was sent to.
	PublicURL   string
	Center      geo.Point // where maps open
	Zoom        float64   // 0-22
	MapStyleURL string    // a MapLibre style; empty: none
	MapHosts    []string  // origins besides the style's that maps load from, for the content security policy
	Basemap     []byte    // of a made city, a GeoJSON FeatureCollection; nil: an area and its cells
	AsyncAPI    []byte    // the WebSockets' document, in YAML

	RequestTimeout time.Duration  // for reading and answering one; default 10 s
	Limits         Limits         // how often clients may ask
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and -Proto are believed

	// Ready says what keeps this node from serving; nil: nothing.
	Ready func(ctx context.Context) error
	// Engines says which of the engines that a node can do without for a
	// while are away; nil: there are none.
	Engines func(ctx context.Context) (away map[string]bool)
	// Observe hears of every answered request; nil: nobody listens.
	Observe func(Observation)
	// OnLinkRevoked and OnCourierRevoked close what is open under a
	// credential that has just become void; nil: nothing is.
	OnLinkRevoked    func(link string)
	OnCourierRevoked func(courier string)
	// OnCourierSignedIn says that a courier's older sessions are void.
	OnCourierSignedIn func(courier string, epoch int64)
}

// Observation is one answered request.
type Observation struct {
	Method   string
	Route    string // the path's template, "" for none
	Status   int
	Duration time.Duration // in real time
}

func (c *Config) defaults() {
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 10*time.Second)
	c.Limits.defaults()
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if c.Ready == nil {
		c.Ready = func(context.Context) error { return nil }
	}
	if c.Engines == nil {
		c.Engines = func(context.Context) map[string]bool { return nil }
	}
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	if c.OnLinkRevoked == nil {
		c.OnLinkRevoked = func(string) {}
	}
	if c.OnCourierRevoked == nil {
		c.OnCourierRevoked = func(string) {}
	}
	if c.OnCourierSignedIn == nil {
		c.OnCourierSignedIn = func(string, int64) {}
	}
}

func (c *Config) validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Mode != dispatch.ModeOffer && c.Mode != dispatch.ModeAssign {
		fault("Mode: %q is neither offer nor assign", c.Mode)
	}
	if c.RequestTimeout < 0 {
		fault("RequestTimeout: %v is negative", c.RequestTimeout)
	}
	if err := c.Center.Validate(); err != nil {
		fault("Center: %w", err)
	}
	if !(c.Zoom >= 0 && c.Zoom <= 22) {
		fault("Zoom: %v is not between 0 and 22", c.Zoom)
	}
	for _, u := range append([]string{c.PublicURL, c.MapStyleURL}, c.MapHosts...) {
		if u != "" && origin(u) == "" {
			fault("PublicURL, MapStyleURL, MapHosts: %q is no http(s) URL", u)
		}
	}
	if c.Basemap != nil && (!json.Valid(c.Basemap) || !bytes.Contains(c.Basemap, []byte("FeatureCollection"))) {
		fault("Basemap: is no GeoJSON FeatureCollection")
	}
	return errors.Join(append(errs, c.Limits.validate())...)
}

// origin is the scheme and host of a URL, or "" if it has none that a browser
// loads from.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.ContainsAny(u.Host, " ;,'\"") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
