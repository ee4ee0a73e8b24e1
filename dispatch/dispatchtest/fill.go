package dispatchtest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"courier/dispatch"
	"courier/geo"
)

// fill gives every field of a value a value of its own, so that one that a
// store forgets is missed, the ones that come later too.
func fill[T any](t *testing.T) T {
	t.Helper()
	var v T
	n := 0
	fillValue(t, reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fillValue(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Addr().Interface().(type) {
	case *time.Time:
		v.Set(reflect.ValueOf(start.Add(time.Duration(*n) * time.Second)))
		return
	case *geo.Area:
		area := fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%d,1],[2,1],[2,3],[%d,1]]]}`, -*n, -*n)
		wantNo(t, json.Unmarshal([]byte(area), v.Addr().Interface()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("s%d \"ü\x00|%%", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(t, v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillValue(t, key, n)
			fillValue(t, value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Fatalf("%s.%s is not exported: teach fill about it", v.Type(), v.Type().Field(i).Name)
			}
			fillValue(t, v.Field(i), n)
		}
	default:
		t.Fatalf("teach fill about %s", v.Type())
	}
}

// wantSame compares all, and shows what differs as Go values: JSON would
// hide some fields.
func wantSame(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got\n\t%+v\nwant\n\t%+v", got, want)
	}
}

// fillEvent is an event as it is read back: its span goes with the message
// alone.
func fillEvent(t *testing.T) dispatch.Event {
	e := fill[dispatch.Event](t)
	e.Trace = ""
	return e
}
