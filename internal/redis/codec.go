package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"courier/geo"
	"courier/tracking"
)

// A fix's body is big-endian: time and received in µs of Unix time (doubles,
// which scripts can compare and which are whole until the year 2255), latitude
// and longitude (doubles), accuracy, speed, heading (floats; NaN: not known).
const (
	bodySize   = 4*8 + 3*4
	recordHead = 3 * 8 // sequence, region before, region: see move.lua
)

var errBroken = errors.New("broken encoding of fixes")

func micros(t time.Time) float64 { return float64(t.UnixMicro()) }

func timeOf(micros float64) time.Time { return time.UnixMicro(int64(micros)).UTC() }

func appendDouble(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
}

func appendFloat(b []byte, v *float64) []byte {
	f := float32(math.NaN())
	if v != nil {
		f = float32(*v)
	}
	return binary.BigEndian.AppendUint32(b, math.Float32bits(f))
}

func appendBody(b []byte, f *tracking.Fix) []byte {
	b = appendDouble(b, micros(f.Time))
	b = appendDouble(b, micros(f.Received))
	b = appendDouble(b, f.Lat)
	b = appendDouble(b, f.Lng)
	b = appendFloat(b, &f.Accuracy)
	b = appendFloat(b, f.Speed)
	return appendFloat(b, f.Heading)
}

func doubleAt(b []byte, at int) float64 {
	return math.Float64frombits(binary.BigEndian.Uint64(b[at:]))
}

func floatAt(b []byte, at int) (float64, bool) {
	f := math.Float32frombits(binary.BigEndian.Uint32(b[at:]))
	return float64(f), f == f
}

// readBody reads a body of bodySize bytes.
func readBody(courier string, b []byte) (tracking.Fix, error) {
	f := tracking.Fix{
		Courier: courier, Time: timeOf(doubleAt(b, 0)), Received: timeOf(doubleAt(b, 8)),
		Point: geo.Point{Lat: doubleAt(b, 16), Lng: doubleAt(b, 24)},
	}
	f.Accuracy, _ = floatAt(b, 32)
	if v, known := floatAt(b, 36); known {
		f.Speed = &v
	}
	if v, known := floatAt(b, 40); known {
		f.Heading = &v
	}
	if err := f.Validate(); err != nil {
		return tracking.Fix{}, fmt.Errorf("%w: courier %s: %w", errBroken, courier, err)
	}
	return f, nil
}

// record is what a shard holds of a courier.
type record struct {
	region geo.Cell
	fix    tracking.Fix
}

func readRecord(courier, s string) (record, error) {
	if len(s) != recordHead+bodySize {
		return record{}, fmt.Errorf("%w: record of courier %s has %d bytes", errBroken, courier, len(s))
	}
	fix, err := readBody(courier, []byte(s[recordHead:]))
	return record{cellAt(s, 16), fix}, err
}

func cellAt(s string, at int) geo.Cell {
	return geo.Cell(binary.BigEndian.Uint64([]byte(s[at : at+8])))
}

// A message is: version, sender (8 bytes), then for each fix the length of
// the courier's id (a varint), the id, the body.
const (
	messageVersion  = 1
	followedVersion = 2
	messageHead     = 1 + 8
	messageFixes    = 2000 // at most: about 100 KB
)

func encodeMessage(sender uint64, fixes []tracking.Fix) []byte {
	b := make([]byte, 0, messageHead+len(fixes)*(bodySize+40))
	b = binary.BigEndian.AppendUint64(append(b, messageVersion), sender)
	for i := range fixes {
		b = binary.AppendUvarint(b, uint64(len(fixes[i].Courier)))
		b = append(b, fixes[i].Courier...)
		b = appendBody(b, &fixes[i])
	}
	return b
}

// encodeFollowed is a message of followedVersion: like encodeMessage, but with
// each fix its span, after its length. A node that does not know it yet goes
// without those few fixes.
func encodeFollowed(sender uint64, fixes []tracking.Fix) []byte {
	b := binary.BigEndian.AppendUint64([]byte{followedVersion}, sender)
	for i := range fixes {
		for _, text := range []string{fixes[i].Courier, fixes[i].Trace} {
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
		b = appendBody(b, &fixes[i])
	}
	return b
}

func followed(f tracking.Fix) bool { return f.Trace != "" }

// apart divides fixes into those that are not followed, and those that are.
func apart(fixes []tracking.Fix) (others, those []tracking.Fix) {
	for _, f := range fixes {
		if followed(f) {
			those = append(those, f)
		} else {
			others = append(others, f)
		}
	}
	return others, those
}

func known(version byte) bool { return version == messageVersion || version == followedVersion }

// senderOf is 0 of what is no message of a version known here.
func senderOf(s string) uint64 {
	if len(s) < messageHead || !known(s[0]) {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(s[1:messageHead]))
}

func decodeMessage(s string) ([]tracking.Fix, error) {
	if len(s) < messageHead || !known(s[0]) {
		return nil, fmt.Errorf("%w: no message of version %d or %d", errBroken, messageVersion, followedVersion)
	}
	b := []byte(s[messageHead:])
	fixes := make([]tracking.Fix, 0, len(b)/(bodySize+1)+1)
	for len(b) > 0 {
		courier, body, err := cutText(b)
		var span string
		if err == nil && s[0] == followedVersion {
			span, body, err = cutText(body)
		}
		if err != nil {
			return nil, err
		}
		f, err := readBody(courier, body[:bodySize])
		if err != nil {
			return nil, err
		}
		f.Trace = span
		fixes, b = append(fixes, f), body[bodySize:]
	}
	return fixes, nil
}

// cutText takes a text after its length; a body must follow at least.
func cutText(b []byte) (text string, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)) || len(b)-size < int(n)+bodySize {
		return "", nil, fmt.Errorf("%w: a message ends early", errBroken)
	}
	return string(b[size : size+int(n)]), b[size+int(n):], nil
}
