package bench

// Goal is what a figure is to reach.
type Goal struct {
	Line  string  `json:"line"` // S1 to S11
	Is    string  `json:"is"`
	Met   bool    `json:"met"`
	Limit float64 `json:"limit"`
}

// atMost is a goal for the value, ratioAtMost for its ratio to the floor,
// atLeast for a rate.
func (r *Result) atMost(line string, limit float64, is string) {
	r.Goal = &Goal{line, is, r.Value <= limit && r.Count > 0, limit}
}

func (r *Result) ratioAtMost(line string, limit float64, is string) {
	r.Goal = &Goal{line, is, r.Ratio > 0 && r.Ratio <= limit, limit}
}

func (r *Result) atLeast(line string, limit float64, is string) {
	r.Goal = &Goal{line, is, r.Value >= limit, limit}
}
