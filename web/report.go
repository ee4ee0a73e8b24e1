package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"courier/dispatch"
)

// reportQuery is the span that a report is asked for: today (UTC) unless
// named, and a day long unless its end is.
func (s *Server) reportQuery(q *query) dispatch.ReportQuery {
	from := s.deps.Clock.Now().UTC().Truncate(24 * time.Hour)
	if q.values.Has("from") {
		from = q.time("from")
	}
	to := from.Add(24 * time.Hour)
	if q.values.Has("to") {
		to = q.time("to")
	}
	return dispatch.ReportQuery{From: from, To: to, Courier: q.text("courier")}
}

func (s *Server) report(c *call) (answer, error) {
	q, err := newQuery(c.Request, "from", "to", "courier")
	if err != nil {
		return answer{}, err
	}
	wanted := s.reportQuery(q)
	if err := q.err(); err != nil {
		return answer{}, err
	}
	report, err := s.deps.Dispatch.Report(c.Context(), wanted)
	return answer{body: report}, err
}

// reportTable is a report as a spreadsheet takes it: a line for each hour, or
// for each courier.
func (s *Server) reportTable(c *call) (answer, error) {
	q, err := newQuery(c.Request, "from", "to", "courier", "by")
	if err != nil {
		return answer{}, err
	}
	wanted, by := s.reportQuery(q), q.text("by")
	if !slices.Contains([]string{"", "hour", "courier"}, by) {
		q.fault("by", "must be hour or courier")
	}
	if err := q.err(); err != nil {
		return answer{}, err
	}
	report, err := s.deps.Dispatch.Report(c.Context(), wanted)
	if err != nil {
		return answer{}, err
	}
	lines, name := hourLines(report), "hours"
	if by == "courier" {
		lines, name = courierLines(report), "couriers"
	}
	body, err := table(lines)
	if err != nil {
		return answer{}, err
	}
	name = fmt.Sprintf("courier-%s-%s.csv", name, report.From.UTC().Format(time.DateOnly))
	return answer{
		body:   plain{"text/csv; charset=utf-8", body},
		header: http.Header{"Content-Disposition": {`attachment; filename="` + name + `"`}},
	}, nil
}

func hourLines(r dispatch.Report) [][]string {
	lines := [][]string{{"from", "placed", "delivered", "failed", "cancelled", "promised", "late", "late_percent",
		"median_assign_seconds", "median_delivery_seconds"}}
	for _, h := range r.Hours {
		lines = append(lines, append([]string{h.From.UTC().Format(time.RFC3339),
			strconv.Itoa(h.Placed), strconv.Itoa(h.Delivered), strconv.Itoa(h.Failed), strconv.Itoa(h.Cancelled)},
			quality(h.Figures, h.MedianAssignSeconds, h.MedianDeliverySeconds)...))
	}
	return lines
}

func courierLines(r dispatch.Report) [][]string {
	lines := [][]string{{"courier", "name", "vehicle", "delivered", "failed", "promised", "late", "late_percent", "median_delivery_seconds"}}
	for _, c := range r.Couriers {
		lines = append(lines, append([]string{c.Courier, c.Name, string(c.Vehicle), strconv.Itoa(c.Delivered), strconv.Itoa(c.Failed)},
			quality(c.Figures, c.MedianDeliverySeconds)...))
	}
	return lines
}

// quality is how promises were kept, and some lengths of time; what nothing
// is known of stays empty.
func quality(f dispatch.Figures, seconds ...float64) []string {
	percent := ""
	if f.Promised > 0 {
		percent = strconv.FormatFloat(100*float64(f.Late)/float64(f.Promised), 'f', 1, 64)
	}
	line := []string{strconv.Itoa(f.Promised), strconv.Itoa(f.Late), percent}
	for _, s := range seconds {
		text := ""
		if s > 0 {
			text = strconv.FormatFloat(s, 'f', 0, 64)
		}
		line = append(line, text)
	}
	return line
}

// table is CSV (RFC 4180). What a spreadsheet would take for a formula is
// told to be text: people choose the names in it.
func table(lines [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	for _, line := range lines {
		for i, cell := range line {
			if strings.HasPrefix(strings.TrimLeft(cell, "\t\r\n "), "=") || cell != "" && strings.ContainsRune("+-@\t\r", rune(cell[0])) {
				line[i] = "'" + cell
			}
		}
		if err := w.Write(line); err != nil {
			return nil, fmt.Errorf("write a table: %w", err)
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}
