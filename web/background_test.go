package web_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"courier/dispatch"
)

const ownTracks = `{"_type":"location","BSSID":"x","acc":8,"batt":41,"cog":271,"lat":52.1,"lon":4.3,"tid":"JJ","tst":1795422600,"vel":36}`

func basic(password string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("mia:"+password))}
}

func traccar(device string) string {
	return `{"location":{"timestamp":"2026-11-23T08:30:00.000Z","coords":{"latitude":52.1,"longitude":4.3,"accuracy":8,"speed":10,"heading":271,"altitude":3},` +
		`"is_moving":true,"battery":{"level":0.4,"is_charging":false},"extras":{}},"device_id":"` + device + `"}`
}

func TestAppsInTheBackgroundSayWhereACourierIs(t *testing.T) {
	for name, q := range map[string]request{
		"Traccar Client":             {body: traccar("courier")},
		"OwnTracks":                  {body: ownTracks, header: basic("courier")},
		"OwnTracks with a bearer":    {body: ownTracks, as: "courier"},
		"Traccar Client, twice told": {body: traccar("a name"), header: basic("courier")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			q.method, q.path = "POST", "/v1/background"
			s.want(q, 200, "")
			if len(s.background.got) != 1 || s.background.of != "c1/2" {
				t.Fatalf("%d fixes of %s", len(s.background.got), s.background.of)
			}
			f := s.background.got[0]
			got := fmt.Sprintf("%v %v %v %v %v", f.Lat, f.Lng, f.Accuracy, *f.Speed, *f.Heading)
			if got != "52.1 4.3 8 10 271" || f.Time.UTC().Year() != 2026 || f.Time.UTC().Minute() != 30 {
				t.Errorf("%s at %s", got, f.Time.UTC())
			}
		})
	}
}

func TestWhatAnAppDoesNotKnowIsLeftOut(t *testing.T) {
	s := newSite(t)
	body := `{"location":{"timestamp":"2026-11-23T08:30:00.000Z","coords":{"latitude":52.1,"longitude":4.3,"accuracy":8,"speed":-1,"heading":-1}},"device_id":"courier"}`
	s.want(request{method: "POST", path: "/v1/background", body: body}, 200, "")
	if f := s.background.got[0]; f.Speed != nil || f.Heading != nil {
		t.Errorf("speed %v, heading %v", f.Speed, f.Heading)
	}
}

func TestBackgroundRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		body, password string
		status         int
		code           string
		kept           bool
	}{
		"no credential":       {ownTracks, "", 401, "unauthenticated", false},
		"a wrong one":         {traccar("nobody"), "", 401, "unauthenticated", false},
		"another role's":      {ownTracks, "admin", 403, "forbidden", false},
		"no JSON":             {"{", "courier", 422, "invalid", false},
		"no place":            {`{"_type":"location","tst":1795422600,"lat":52}`, "courier", 422, "invalid", false},
		"no time":             {`{"_type":"location","lon":4,"lat":52}`, "courier", 422, "invalid", false},
		"that it lives":       {`{"_type":"lwt","tst":1795422600}`, "courier", 200, "", false},
		"that it has nothing": {"", "courier", 200, "", false},
		"a place":             {ownTracks, "courier", 200, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			q := request{method: "POST", path: "/v1/background", body: tt.body}
			if tt.password != "" {
				q.header = basic(tt.password)
			}
			s.want(q, tt.status, tt.code)
			if (len(s.background.got) > 0) != tt.kept {
				t.Errorf("%d fixes are taken", len(s.background.got))
			}
		})
	}
	s := newSite(t)
	q := request{method: "POST", path: "/v1/background", body: ownTracks, header: basic("courier")}
	s.background.fail = fmt.Errorf("take: %w", dispatch.ErrStaleSession)
	s.want(q, 401, "unauthenticated")
	s.background.fail = errors.New("broken")
	s.want(q, 500, "internal")
}
