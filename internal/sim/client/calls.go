package client

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Time is the server's clock: its time, its rate, and how long the answer
// took.
func (c *Client) Time(ctx context.Context) (now time.Time, rate float64, took time.Duration, err error) {
	var out struct {
		Now  time.Time `json:"now"`
		Rate float64   `json:"rate"`
	}
	start := time.Now()
	if err := c.do(ctx, call{method: "GET", path: "/v1/time", into: &out}); err != nil {
		return time.Time{}, 0, 0, err
	}
	return out.Now, out.Rate, time.Since(start), nil
}

// Place places an order. The same key gives the same order, however often it
// is sent.
func (c *Client) Place(ctx context.Context, credential, key string, o NewOrder) (Order, error) {
	var out Order
	err := c.do(ctx, call{method: "POST", path: "/v1/orders", credential: credential, key: key, body: o, into: &out})
	return out, err
}

// Order gets one order.
func (c *Client) Order(ctx context.Context, credential, id string) (Order, error) {
	var out Order
	err := c.do(ctx, call{method: "GET", path: "/v1/orders/" + url.PathEscape(id), credential: credential, into: &out})
	return out, err
}

// Filter narrows a list of orders; zero fields do not.
type Filter struct {
	Statuses            []string
	Merchant, Reference string
	Courier             string
	PlacedFrom          time.Time
	Limit               int // stop after so many; 0: all
}

// Orders lists orders, newest first, page by page.
func (c *Client) Orders(ctx context.Context, credential string, f Filter) ([]Order, error) {
	q := url.Values{"limit": {"200"}}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("status", strings.Join(f.Statuses, ","))
	set("merchant", f.Merchant)
	set("reference", f.Reference)
	set("courier", f.Courier)
	if !f.PlacedFrom.IsZero() {
		set("placed_from", f.PlacedFrom.UTC().Format(time.RFC3339Nano))
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(f.Limit, 200)))
	}
	var all []Order
	for {
		var page struct {
			Orders []Order `json:"orders"`
			Next   string  `json:"next"`
		}
		if err := c.do(ctx, call{method: "GET", path: "/v1/orders?" + q.Encode(), credential: credential, into: &page}); err != nil {
			return nil, err
		}
		all = append(all, page.Orders...)
		if page.Next == "" || f.Limit > 0 && len(all) >= f.Limit {
			return all, nil
		}
		q.Set("cursor", page.Next)
	}
}

// Events are an order's history, oldest first.
func (c *Client) Events(ctx context.Context, credential, order string) ([]Event, error) {
	var out struct {
		Events []Event `json:"events"`
	}
	err := c.do(ctx, call{method: "GET", path: "/v1/orders/" + url.PathEscape(order) + "/events", credential: credential, into: &out})
	return out.Events, err
}

// Decisions are what the matcher thought of an order, newest first.
func (c *Client) Decisions(ctx context.Context, credential, order string) ([]Decision, error) {
	var out struct {
		Decisions []Decision `json:"decisions"`
	}
	err := c.do(ctx, call{method: "GET", path: "/v1/orders/" + url.PathEscape(order) + "/decisions", credential: credential, into: &out})
	return out.Decisions, err
}

// Cancel calls an order off.
func (c *Client) Cancel(ctx context.Context, credential, order, reason string) (Order, error) {
	var out Order
	err := c.do(ctx, call{method: "POST", path: "/v1/orders/" + url.PathEscape(order) + "/cancel", credential: credential,
		body: map[string]string{"reason": reason}, into: &out})
	return out, err
}

// NewLink makes a tracking link.
func (c *Client) NewLink(ctx context.Context, credential, order string) (Link, error) {
	var out Link
	err := c.do(ctx, call{method: "POST", path: "/v1/orders/" + url.PathEscape(order) + "/tracking-links", credential: credential,
		body: struct{}{}, into: &out})
	return out, err
}

// Links are an order's tracking links, without their secrets.
func (c *Client) Links(ctx context.Context, credential, order string) ([]Link, error) {
	var out struct {
		Links []Link `json:"links"`
	}
	err := c.do(ctx, call{method: "GET", path: "/v1/orders/" + url.PathEscape(order) + "/tracking-links", credential: credential, into: &out})
	return out.Links, err
}

// Track is the customer's view for a tracking secret.
func (c *Client) Track(ctx context.Context, secret string) (View, error) {
	var out View
	err := c.do(ctx, call{method: "GET", path: "/v1/track", credential: secret, into: &out})
	return out, err
}

// NewCourier adds a courier to the fleet.
func (c *Client) NewCourier(ctx context.Context, credential string, n NewCourier) (Courier, error) {
	var out Courier
	err := c.do(ctx, call{method: "POST", path: "/v1/couriers", credential: credential, body: n, into: &out})
	return out, err
}

// Couriers lists the whole fleet.
func (c *Client) Couriers(ctx context.Context, credential string) ([]Courier, error) {
	q := url.Values{"limit": {"200"}}
	var all []Courier
	for {
		var page struct {
			Couriers []Courier `json:"couriers"`
			Next     string    `json:"next"`
		}
		if err := c.do(ctx, call{method: "GET", path: "/v1/couriers?" + q.Encode(), credential: credential, into: &page}); err != nil {
			return nil, err
		}
		all = append(all, page.Couriers...)
		if page.Next == "" {
			return all, nil
		}
		q.Set("cursor", page.Next)
	}
}

// SignInCode makes a one-time code for a courier.
func (c *Client) SignInCode(ctx context.Context, credential, courier string) (string, error) {
	var out struct {
		Code string `json:"code"`
	}
	err := c.do(ctx, call{method: "POST", path: "/v1/couriers/" + url.PathEscape(courier) + "/sign-in-code", credential: credential, into: &out})
	return out.Code, err
}

// SignIn trades a code for a session.
func (c *Client) SignIn(ctx context.Context, code string) (Session, error) {
	var out Session
	err := c.do(ctx, call{method: "POST", path: "/v1/sign-in", body: map[string]string{"code": code}, into: &out})
	return out, err
}

// NewAPIKey makes a key for a merchant.
func (c *Client) NewAPIKey(ctx context.Context, credential, merchant, name string) (string, error) {
	var out struct {
		Key string `json:"key"`
	}
	err := c.do(ctx, call{method: "POST", path: "/v1/api-keys", credential: credential,
		body: map[string]string{"merchant": merchant, "name": name}, into: &out})
	return out.Key, err
}

// Stats are the server's figures.
func (c *Client) Stats(ctx context.Context, credential string) (Stats, error) {
	var out Stats
	err := c.do(ctx, call{method: "GET", path: "/v1/stats", credential: credential, into: &out})
	return out, err
}
