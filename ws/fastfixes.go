package ws

import (
	"bytes"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"

	"courier/tracking"
)

// fastFixes reads a fixes frame as every JSON encoder writes it: known
// members, each once, no escapes, no white space. Anything else, wrong or
// merely unusual, it leaves to package strict, which says what is the
// matter; what it takes, strict takes too and understands the same. It is
// there because nearly all frames that come in are these.
func fastFixes(data []byte, f *fixesIn) bool {
	s := scanner{data}
	var seen uint8
	if !s.skip('{') {
		return false
	}
	for {
		name, ok := s.text()
		if !ok || !s.skip(':') {
			return false
		}
		var bit uint8
		switch string(name) {
		case "type":
			bit = 1
			var typ []byte
			typ, ok = s.text()
			f.Type = string(typ)
		case "id":
			bit = 2
			var id []byte
			id, ok = s.text()
			f.ID = string(id)
		case "fixes":
			bit = 4
			f.Fixes, ok = s.fixes()
		default:
			return false
		}
		if !ok || seen&bit != 0 {
			return false
		}
		if seen |= bit; s.skip(',') {
			continue
		}
		return s.skip('}') && len(s.rest) == 0 && seen == 7
	}
}

// fastAck writes the answer to fixes that were all taken in time, as package
// json would.
func fastAck(id string, r tracking.Result) (frame, bool) {
	if len(r.Late)+len(r.Rejected) > 0 {
		return nil, false
	}
	room := append(make([]byte, maxHeader, maxHeader+len(id)+64), `{"type":"ack","id":`...)
	room, err := jsontext.AppendQuote(room, id)
	if err != nil {
		return nil, false
	}
	room = strconv.AppendInt(append(room, `,"ok":true,"accepted":`...), int64(r.Accepted), 10)
	return newFrame(websocket.TextMessage, append(room, '}')), true
}

// scanner eats from the front of its text.
type scanner struct{ rest []byte }

func (s *scanner) skip(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text reads a string of plain ASCII.
func (s *scanner) text() ([]byte, bool) {
	if !s.skip('"') {
		return nil, false
	}
	for i, c := range s.rest {
		switch {
		case c == '"':
			out := s.rest[:i]
			s.rest = s.rest[i+1:]
			return out, true
		case c == '\\' || c < ' ' || c > '~':
			return nil, false
		}
	}
	return nil, false
}

func (s *scanner) fixes() ([]tracking.Fix, bool) {
	if !s.skip('[') {
		return nil, false
	}
	// Each fix has a time: that is how many there are, if all is well.
	n := min(bytes.Count(s.rest, []byte(`"time":`)), maxFixes+1)
	out := make([]tracking.Fix, 0, n)
	for len(out) <= maxFixes {
		out = append(out, tracking.Fix{})
		if !s.fix(&out[len(out)-1]) {
			return nil, false
		}
		if s.skip(',') {
			continue
		}
		return out, s.skip(']')
	}
	return nil, false
}

func (s *scanner) fix(f *tracking.Fix) bool {
	var seen uint8
	if !s.skip('{') {
		return false
	}
	for {
		name, ok := s.text()
		if !ok || !s.skip(':') {
			return false
		}
		var bit uint8
		switch string(name) {
		case "time":
			bit = 1
			f.Time, ok = s.time()
		case "lat":
			bit = 2
			f.Lat, ok = s.number()
		case "lng":
			bit = 4
			f.Lng, ok = s.number()
		case "accuracy":
			bit = 8
			f.Accuracy, ok = s.number()
		case "speed":
			bit = 16
			f.Speed, ok = s.optional()
		case "heading":
			bit = 32
			f.Heading, ok = s.optional()
		default:
			return false
		}
		if !ok || seen&bit != 0 {
			return false
		}
		if seen |= bit; s.skip(',') {
			continue
		}
		return s.skip('}') && seen&15 == 15
	}
}

// time reads the common form, in UTC.
func (s *scanner) time() (time.Time, bool) {
	raw := s.rest
	text, ok := s.text()
	if !ok || len(text) < 20 || text[len(text)-1] != 'Z' {
		return time.Time{}, false
	}
	var t time.Time
	if t.UnmarshalJSON(raw[:len(text)+2]) != nil || t.Year() < 1 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

func (s *scanner) optional() (*float64, bool) {
	v, ok := s.number()
	return &v, ok
}

// number reads what JSON calls one, of the forms that need no exponent.
func (s *scanner) number() (float64, bool) {
	i := 0
	digits := func() int {
		start := i
		for i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9' {
			i++
		}
		return i - start
	}
	if len(s.rest) > 0 && s.rest[0] == '-' {
		i++
	}
	first := i
	if n := digits(); n == 0 || n > 1 && s.rest[first] == '0' {
		return 0, false
	}
	if i < len(s.rest) && s.rest[i] == '.' {
		i++
		if digits() == 0 {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(s.rest[:i]), 64)
	s.rest = s.rest[i:] // an exponent is found by whoever expects , or }
	return v, err == nil
}
