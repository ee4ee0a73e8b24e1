package webtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"courier/web/api"
	"courier/web/webtest"
)

func TestCheck(t *testing.T) {
	v, err := webtest.New(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	jsonType := http.Header{"Content-Type": {"application/json"}}
	problemType := http.Header{"Content-Type": {"application/problem+json"}}
	const now = `{"now":"2026-11-23T08:30:00Z","rate":1}`
	for name, tt := range map[string]struct {
		method, path, sent string
		status             int
		header             http.Header
		got                string
		wrong              string // part of the error; empty: none
	}{
		"as documented":           {"GET", "/v1/time", "", 200, jsonType, now, ""},
		"an undocumented member":  {"GET", "/v1/time", "", 200, jsonType, `{"now":"2026-11-23T08:30:00Z","rate":1,"x":1}`, "additional properties 'x'"},
		"a member less":           {"GET", "/v1/time", "", 200, jsonType, `{"rate":1}`, "missing property 'now'"},
		"no time":                 {"GET", "/v1/time", "", 200, jsonType, `{"now":"today","rate":1}`, "date-time"},
		"another content type":    {"GET", "/v1/time", "", 200, http.Header{"Content-Type": {"text/plain"}}, now, "content type"},
		"another status":          {"GET", "/v1/time", "", 202, jsonType, now, "status 202"},
		"an undocumented query":   {"GET", "/v1/time?x=1", "", 200, jsonType, now, "parameter x"},
		"an undocumented path":    {"GET", "/v1/tim", "", 200, jsonType, now, "does not know"},
		"nothing there":           {"GET", "/v1/tim", "", 404, problemType, "{}", ""},
		"a problem":               {"GET", "/v1/stats", "", 503, problemType, `{"type":"about:blank","title":"x","status":503,"code":"unavailable"}`, ""},
		"a problem with no code":  {"GET", "/v1/stats", "", 503, problemType, `{"type":"about:blank","title":"x","status":503}`, "missing property 'code'"},
		"a problem, unknown code": {"GET", "/v1/stats", "", 503, problemType, `{"type":"about:blank","title":"x","status":503,"code":"x"}`, "code"},
		"accepted nonsense":       {"POST", "/v1/orders/1/cancel", `{"reason":"a","x":1}`, 200, jsonType, `{}`, "accepted a request"},
		"refused nonsense":        {"POST", "/v1/orders/1/cancel", `{"x":1}`, 422, problemType, `{"type":"about:blank","title":"x","status":422,"code":"invalid"}`, ""},
		"a body for nothing":      {"DELETE", "/v1/zones/1", "", 204, http.Header{}, "x", "none is documented"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			err := v.Check(r, []byte(tt.sent), tt.status, tt.header, []byte(tt.got))
			if (err == nil) != (tt.wrong == "") || (err != nil && !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}
