package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// answer is an ack, as far as it matters here.
type answer struct {
	Type     string            `json:"type"`
	ID       string            `json:"id"`
	OK       bool              `json:"ok"`
	Accepted int               `json:"accepted"`
	Rejected []json.RawMessage `json:"rejected"`

	RetryAfter float64 `json:"retry_after"` // s
}

// read takes an ack that says the usual apart by hand; JSON would cost the
// generator more than the rest of its work.
func (a *answer) read(raw []byte) error {
	rest, ok := bytes.CutPrefix(raw, []byte(`{"type":"ack","id":"`))
	if ok {
		id, tail, _ := bytes.Cut(rest, []byte(`"`))
		if n, ok := bytes.CutPrefix(tail, []byte(`,"ok":true,"accepted":`)); ok {
			if number, ok := bytes.CutSuffix(n, []byte("}")); ok {
				if accepted, err := strconv.Atoi(string(number)); err == nil {
					*a = answer{Type: "ack", ID: string(id), OK: true, Accepted: accepted}
					return nil
				}
			}
		}
	}
	*a = answer{}
	if err := json.Unmarshal(raw, a); err != nil {
		return fmt.Errorf("read a frame: %w: %s", err, raw)
	}
	return nil
}

func (a *answer) refusal(raw []byte) error {
	if !a.OK || len(a.Rejected) > 0 {
		return fmt.Errorf("refused: %s", raw)
	}
	return nil
}
