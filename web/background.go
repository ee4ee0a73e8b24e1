package web

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"courier/dispatch"
	"courier/geo"
	"courier/internal/auth"
	"courier/tracking"
)

// Background takes a courier's fixes that no socket brings.
type Background interface {
	Background(ctx context.Context, courier string, epoch int64, fixes []tracking.Fix) error
}

// backgroundBody is what other people's apps send: of each only what is of
// use here, since they send more, and more with every version.
type backgroundBody struct {
	// Traccar Client, from version 9: https://www.traccar.org/osmand
	Device   string `json:"device_id"`
	Location *struct {
		Timestamp time.Time `json:"timestamp"`
		Coords    *struct {
			Latitude  *float64 `json:"latitude"`
			Longitude *float64 `json:"longitude"`
			Accuracy  float64  `json:"accuracy"`
			Speed     *float64 `json:"speed"` // m/s; negative: not known
			Heading   *float64 `json:"heading"`
		} `json:"coords"`
	} `json:"location"`

	// OwnTracks in HTTP mode: https://owntracks.org/booklet/tech/json
	Type string   `json:"_type"`
	Tst  *int64   `json:"tst"` // seconds since 1970
	Lat  *float64 `json:"lat"`
	Lon  *float64 `json:"lon"`
	Acc  float64  `json:"acc"`
	Vel  *float64 `json:"vel"` // km/h
	Cog  *float64 `json:"cog"`
}

// background is asked by apps that know only a user and a password, or only
// the name of a device: the courier's token is whichever they have.
func (s *Server) background(c *call) (answer, error) {
	raw, err := c.body()
	if err != nil {
		return answer{}, err
	}
	var body backgroundBody
	unread := json.Unmarshal(raw, &body)
	_, token, _ := c.BasicAuth()
	if token == "" {
		token = bearer(c.Request)
	}
	if token == "" {
		token = body.Device
	}
	who, err := s.deps.Auth.Check(c.Context(), token)
	if err != nil {
		return answer{}, err
	}
	c.who, c.seen.who = who, who
	switch {
	case who.Role != dispatch.RoleCourier:
		return answer{}, errForbidden
	case len(raw) > 0 && unread != nil:
		return answer{}, invalid("body", "is no JSON as Traccar Client or OwnTracks send it")
	}
	if err := s.take(c.Context(), "credential/"+string(who.Role)+"/"+who.ID, s.config.Limits.Credential); err != nil {
		return answer{}, err
	}
	fix, there, err := body.fix()
	if err == nil && there {
		err = s.deps.Background.Background(c.Context(), who.ID, who.Epoch, []tracking.Fix{fix})
	}
	if errors.Is(err, dispatch.ErrStaleSession) {
		err = auth.ErrUnauthenticated
	}
	// OwnTracks wants a list of messages for it; there are none.
	return answer{body: []struct{}{}}, err
}

// fix is the position in the body; false where an app says something else,
// such as that it lives.
func (b backgroundBody) fix() (tracking.Fix, bool, error) {
	f := tracking.Fix{}
	var lat, lng, speed, heading *float64
	switch l := b.Location; {
	case l != nil && l.Coords != nil:
		f.Time, f.Accuracy = l.Timestamp, l.Coords.Accuracy
		lat, lng, speed, heading = l.Coords.Latitude, l.Coords.Longitude, l.Coords.Speed, l.Coords.Heading
	case b.Type == "location":
		if b.Tst != nil {
			f.Time = time.Unix(*b.Tst, 0)
		}
		f.Accuracy, lat, lng, heading = b.Acc, b.Lat, b.Lon, b.Cog
		if b.Vel != nil {
			metres := *b.Vel / 3.6
			speed = &metres
		}
	default:
		return f, false, nil
	}
	if lat == nil || lng == nil || f.Time.IsZero() {
		return f, false, invalid("body", "has no place or no time")
	}
	f.Point = geo.Point{Lat: *lat, Lng: *lng}
	if speed != nil && *speed >= 0 {
		f.Speed = speed
	}
	if heading != nil && *heading >= 0 {
		turn := math.Mod(*heading, 360)
		f.Heading = &turn
	}
	return f, true, nil
}
