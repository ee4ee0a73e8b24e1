package tracking

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"courier/geo"
)

// ErrChunk says that bytes are no chunk of a trail.
var ErrChunk = errors.New("not a trail chunk")

// A chunk's data is a version byte and, for each fix by time, varints: time
// in ms, latitude and longitude in 1e-6 degrees, accuracy in dm, each as the
// difference from the fix before; then speed in cm/s and heading in 0.1
// degrees, each plus 1, or 0 where the phone gave none. About 11 bytes a fix.
const (
	chunkVersion = 1
	maxAccuracy  = math.MaxInt32 // dm
	maxMillis    = 1 << 48       // the year 10889: beyond, Go's times are no JSON
	minSample    = 6             // bytes
)

// sample is a Fix as a chunk keeps it: small and without pointers.
type sample struct {
	ms       int64
	lat, lng int32 // 1e-6 degrees
	accuracy int32 // dm
	speed    int32 // cm/s + 1, or 0
	heading  int32 // 0.1 degrees + 1, or 0
}

func sampleOf(f *Fix) sample {
	s := sample{
		ms:       f.Time.UnixMilli(),
		lat:      int32(math.Round(f.Lat * 1e6)),
		lng:      int32(math.Round(f.Lng * 1e6)),
		accuracy: int32(min(math.Round(f.Accuracy*10), maxAccuracy)),
	}
	if f.Speed != nil {
		s.speed = int32(min(math.Round(*f.Speed*100), maxSpeed*100)) + 1
	}
	if f.Heading != nil {
		s.heading = int32(math.Round(*f.Heading*10))%3600 + 1
	}
	return s
}

func (s sample) fix(courier string) Fix {
	f := Fix{
		Courier:  courier,
		Time:     time.UnixMilli(s.ms).UTC(),
		Point:    geo.Point{Lat: float64(s.lat) / 1e6, Lng: float64(s.lng) / 1e6},
		Accuracy: float64(s.accuracy) / 10,
	}
	if s.speed > 0 {
		v := float64(s.speed-1) / 100
		f.Speed = &v
	}
	if s.heading > 0 {
		v := float64(s.heading-1) / 10
		f.Heading = &v
	}
	return f
}

// EncodeChunk packs fixes of one courier, in any order, at least one, each
// within the ranges of the wire. Times keep their milliseconds, places a
// tenth of a metre; Received is not kept.
func EncodeChunk(courier string, fixes []Fix) Chunk {
	samples := make([]sample, len(fixes))
	for i := range fixes {
		samples[i] = sampleOf(&fixes[i])
	}
	return encode(courier, samples)
}

// encode sorts and packs samples.
func encode(courier string, samples []sample) Chunk {
	slices.SortStableFunc(samples, func(a, b sample) int { return cmp.Compare(a.ms, b.ms) })
	data := make([]byte, 1, 1+12*len(samples)+8)
	data[0] = chunkVersion
	var last sample
	for _, s := range samples {
		data = binary.AppendVarint(data, s.ms-last.ms)
		data = binary.AppendVarint(data, int64(s.lat)-int64(last.lat))
		data = binary.AppendVarint(data, int64(s.lng)-int64(last.lng))
		data = binary.AppendVarint(data, int64(s.accuracy)-int64(last.accuracy))
		data = binary.AppendUvarint(data, uint64(s.speed))
		data = binary.AppendUvarint(data, uint64(s.heading))
		last = s
	}
	c := Chunk{Courier: courier, Count: len(samples), Data: data}
	if len(samples) > 0 {
		c.From = time.UnixMilli(samples[0].ms).UTC()
		c.To = time.UnixMilli(last.ms).UTC()
	}
	return c
}

// DecodeChunk unpacks Data into fixes by time, oldest first. Errors wrap
// ErrChunk.
func DecodeChunk(c Chunk) ([]Fix, error) {
	if len(c.Data) == 0 || c.Data[0] != chunkVersion {
		return nil, fmt.Errorf("%w: unknown version", ErrChunk)
	}
	r := reader{data: c.Data[1:]}
	if c.Count < 0 || c.Count > len(r.data)/minSample {
		return nil, fmt.Errorf("%w: %d bytes for %d fixes", ErrChunk, len(c.Data), c.Count)
	}
	fixes := make([]Fix, 0, c.Count)
	var ms, lat, lng, accuracy int64
	for len(r.data) > 0 && !r.bad {
		later := r.step(&ms, -maxMillis, maxMillis)
		r.bad = r.bad || later < 0 && len(fixes) > 0
		r.step(&lat, -90e6, 90e6)
		r.step(&lng, -180e6, 180e6)
		r.step(&accuracy, 0, maxAccuracy)
		speed := r.uvarint(maxSpeed*100 + 1)
		heading := r.uvarint(3600)
		s := sample{ms, int32(lat), int32(lng), int32(accuracy), int32(speed), int32(heading)}
		fixes = append(fixes, s.fix(c.Courier))
	}
	if r.bad || len(fixes) != c.Count {
		return nil, fmt.Errorf("%w: broken at or before fix %d of %d", ErrChunk, len(fixes), c.Count)
	}
	return fixes, nil
}

// reader takes varints off data and remembers whether one was bad.
type reader struct {
	data []byte
	bad  bool
}

// step moves *v by the next difference, which it returns; the result must be
// from least to most.
func (r *reader) step(v *int64, least, most int64) int64 {
	d, n := binary.Varint(r.data)
	if n <= 0 || d < least-*v || d > most-*v {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	*v += d
	return d
}

func (r *reader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || v > most {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}
