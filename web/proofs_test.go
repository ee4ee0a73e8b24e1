package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
)

const (
	proofPath = "/v1/orders/o1/proofs/p1"
	jpeg      = "image/jpeg"
)

func TestACourierPutsAPicture(t *testing.T) {
	s := newSite(t)
	put := request{method: "PUT", path: proofPath + "?kind=signature", as: "courier", body: "a picture", header: map[string]string{"Content-Type": jpeg}}
	s.want(put, 200, "")
	if got := s.company.proof; got.Order != "o1" || got.ID != "p1" || got.Kind != dispatch.Signature || string(got.Data) != "a picture" {
		t.Errorf("kept as %+v", got)
	}
	large := put
	large.body = strings.Repeat("x", dispatch.MaxProofBytes+1)
	s.want(large, http.StatusRequestEntityTooLarge, "too_large")
	unknown := put
	unknown.path += "&size=9"
	s.want(unknown, 422, "invalid")
	theirs := put
	theirs.path = strings.Replace(put.path, "o1", "o2", 1)
	s.want(theirs, 404, "not_found")
}

// A picture is user content on our origin: a browser must not take it for a
// page, and nobody's cache may hold it.
func TestAPictureIsServedAsOne(t *testing.T) {
	s := newSite(t)
	for _, q := range []request{
		{path: proofPath, as: "viewer"},
		{path: proofPath, as: "merchant"},
		{path: "/v1/track/proofs/p1", as: "customer"},
	} {
		w := s.do(q)
		if w.Code != 200 || w.Body.String() != "a picture" {
			t.Errorf("%s: %d %s", q.path, w.Code, w.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": jpeg, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; sandbox",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", q.path, name, got, want)
			}
		}
	}
	s.want(request{path: proofPath, as: "other-merchant"}, 404, "not_found")
	s.want(request{path: "/v1/orders/o1/proofs/p2", as: "viewer"}, 404, "not_found")
	s.want(request{path: "/v1/track/proofs/p2", as: "customer"}, 404, "not_found")
}

func TestACouriersDay(t *testing.T) {
	s := newSite(t)
	s.want(request{path: "/v1/me/day?from=2026-11-23T00:00:00%2B01:00", as: "courier"}, 200, "")
	if s.company.dayOf != "c1" || !s.company.dayFrom.Equal(time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)) || s.company.dayTo.Before(now()) {
		t.Errorf("asked for %s from %s to %s", s.company.dayOf, s.company.dayFrom, s.company.dayTo)
	}
	for name, query := range map[string]string{
		"no beginning":  "",
		"no time":       "?from=today",
		"after its end": "?from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z",
		"too long":      "?from=2026-11-01T00:00:00Z&to=2026-11-23T00:00:00Z",
		"still to come": "?from=2026-11-24T00:00:00Z",
		"whose":         "?from=2026-11-23T00:00:00Z&courier=c2",
	} {
		t.Run(name, func(t *testing.T) {
			s.want(request{path: "/v1/me/day" + query, as: "courier"}, 422, "invalid")
		})
	}
}
