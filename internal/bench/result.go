package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Result is one figure, and what has to be known to believe it.
type Result struct {
	Scenario string  `json:"scenario"`
	Engines  string  `json:"engines"` // embedded, or those of the run
	What     string  `json:"what"`
	Unit     string  `json:"unit"`
	Value    float64 `json:"value"`

	Latency *Latency `json:"latency_ms,omitempty"` // from when the work was due
	Asked   float64  `json:"asked,omitempty"`      // a second; 0: as much as goes
	Reached float64  `json:"reached,omitempty"`    // a second
	Count   int64    `json:"count"`                // in the measured time
	Errors  int64    `json:"errors"`               // refused, failed or unanswered
	Lag     float64  `json:"lag_ms,omitempty"`     // p99 of how late the generator itself was

	ServerCPU float64 `json:"server_cpu_us,omitempty"` // of one unit of work
	OwnCPU    float64 `json:"own_cpu_us,omitempty"`    // the generator's
	GC        float64 `json:"gc_percent,omitempty"`    // of the server's processor time
	Resident  float64 `json:"resident_mib,omitempty"`  // the server's
	PSS       float64 `json:"pss_mib,omitempty"`

	Floor *Floor  `json:"floor,omitempty"`
	Ratio float64 `json:"ratio,omitempty"` // value over floor; of rates too
	Goal  *Goal   `json:"goal,omitempty"`

	More map[string]float64 `json:"more,omitempty"` // what else was seen

	Machine string    `json:"machine"`
	Load    float64   `json:"load"` // of the machine before, over a minute
	Version string    `json:"version"`
	Date    time.Time `json:"date"`
}

// Floor is what a bare loop reaches in the same run, in the unit of the value.
type Floor struct {
	What  string             `json:"what"`
	Value float64            `json:"value"`
	More  map[string]float64 `json:"more,omitempty"`
}

// against sets the floor and the ratio to it.
func (r *Result) against(f Floor) {
	r.Floor = &f
	if f.Value > 0 {
		r.Ratio = r.Value / f.Value
	}
}

// more notes another figure.
func (r *Result) more(name string, value float64) {
	if r.More == nil {
		r.More = map[string]float64{}
	}
	r.More[name] = value
}

// WriteJSON writes one line.
func (r Result) WriteJSON(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// ReadJSON reads lines of WriteJSON.
func ReadJSON(r io.Reader) (all []Result, err error) {
	lines := json.NewDecoder(r)
	lines.DisallowUnknownFields()
	for {
		var one Result
		switch err := lines.Decode(&one); err {
		case nil:
			all = append(all, one)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("read results: %w", err)
		}
	}
}
