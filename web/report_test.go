package web_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"courier/dispatch"
)

func TestAReportIsOfTheDayUnlessASpanIsNamed(t *testing.T) {
	s := newSite(t)
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for query, want := range map[string]dispatch.ReportQuery{
		"":                                  {From: day, To: day.Add(24 * time.Hour)},
		"?from=2026-11-22T21:00:00Z":        {From: day.Add(-3 * time.Hour), To: day.Add(21 * time.Hour)},
		"?from=2026-11-22T21:00:00%2B03:00": {From: day.Add(-6 * time.Hour), To: day.Add(18 * time.Hour)},
		"?courier=c1":                       {From: day, To: day.Add(24 * time.Hour), Courier: "c1"},
		"?from=2026-11-01T00:00:00Z&to=2026-11-08T00:00:00Z": {From: day.AddDate(0, 0, -22), To: day.AddDate(0, 0, -15)},
	} {
		for _, path := range []string{"/v1/reports/day", "/v1/reports/day.csv"} {
			if w := s.do(request{path: path + query, as: "viewer"}); w.Code != http.StatusOK || s.company.span != want {
				t.Errorf("%s%s: %d, asked for %+v, want %+v", path, query, w.Code, s.company.span, want)
			}
		}
	}
	s.want(request{path: "/v1/reports/day?from=today", as: "viewer"}, 422, "invalid")
	s.want(request{path: "/v1/reports/day?by=hour", as: "viewer"}, 422, "invalid")
	s.want(request{path: "/v1/reports/day.csv?by=merchant", as: "viewer"}, 422, "invalid")
}

func TestATableIsReadAsItWasWritten(t *testing.T) {
	s := newSite(t)
	name := `=HYPERLINK("x"), "Ann"`
	s.company.report.Couriers = []dispatch.CourierFigures{
		{Courier: "c1", Name: name, Vehicle: "van", Figures: dispatch.Figures{Delivered: 9, Promised: 8, Late: 1, MedianDeliverySeconds: 1500.4}},
		{Courier: "c2", Name: "Лена", Vehicle: "foot"},
	}
	w := s.do(request{path: "/v1/reports/day.csv?by=courier", as: "viewer"})
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="courier-couriers-2026-11-23.csv"` {
		t.Errorf("it is to be saved as %s", got)
	}
	lines, err := csv.NewReader(strings.NewReader(w.Body.String())).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%v: %q", err, w.Body)
	}
	if got := strings.Join(lines[1], "|"); got != "c1|'"+name+"|van|9|0|8|1|12.5|1500" {
		t.Errorf("a courier's line is %s", got)
	}
	if got := strings.Join(lines[2], "|"); got != "c2|Лена|foot|0|0|0|0||" {
		t.Errorf("who did nothing has the line %s", got)
	}
}
