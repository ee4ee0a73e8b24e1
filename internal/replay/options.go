package replay

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"courier/dispatch/match"
)

// MDRPOptions are the matcher's for every instance; the day gives the router
// and the service times.
func MDRPOptions() match.Options {
	o := match.DefaultOptions()
	// The rules of the problem.
	o.AppendOnly, o.OneTask, o.Interleave = true, true, false
	o.BundleRadius = 0 // bundles are of one restaurant
	o.MaxDelay, o.MaxStops = 4*time.Hour, 40
	// What is good by them is a sum of delays, and no courier's time counts.
	o.TravelWeight, o.StandWeight, o.WaitWeight, o.LateWeight = 0, 0, 1, 0
	o.Unserved, o.AgeWeight, o.Patience = 300*time.Minute, 0, 300*time.Minute
	o.MaxBundle = 5
	o.MaxRadius, o.MaxCandidates = 100_000, 40
	o.LookAhead, o.BusyAhead = 90*time.Minute, 90*time.Minute
	o.CommitAhead = 0
	o.MaxExplained = 1
	return o
}

// Set changes options by assignments like "MaxBundle=3" or
// "Search.PerOrder=0": a field's name, whose case does not matter, and its
// value. Its error holds each assignment that is wrong.
func Set(o match.Options, assignments []string) (match.Options, error) {
	fields := map[string]reflect.Value{}
	var names []string
	settable(reflect.ValueOf(&o).Elem(), "", func(name string, v reflect.Value) {
		fields[strings.ToLower(name)] = v
		names = append(names, name)
	})
	var errs []error
	for _, a := range assignments {
		name, text, found := strings.Cut(a, "=")
		v, known := fields[strings.ToLower(strings.TrimSpace(name))]
		switch {
		case !found:
			errs = append(errs, fmt.Errorf("%q is not name=value", a))
		case !known:
			errs = append(errs, fmt.Errorf("no option %q; there are %s", name, strings.Join(names, ", ")))
		default:
			if err := set(v, strings.TrimSpace(text)); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	if len(errs) == 0 {
		errs = append(errs, o.Validate())
	}
	return o, errors.Join(errs...)
}

// settable calls yield with each plain field, those of structs within as
// Outer.Inner.
func settable(v reflect.Value, prefix string, yield func(string, reflect.Value)) {
	for i := range v.NumField() {
		name, f := prefix+v.Type().Field(i).Name, v.Field(i)
		switch f.Kind() {
		case reflect.Struct:
			settable(f, name+".", yield)
		case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
			yield(name, f)
		}
	}
}

func set(v reflect.Value, text string) error {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration (write 90s, 5m, 1h30m)", text)
		}
		v.SetInt(int64(d))
		return nil
	}
	switch v.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		v.SetFloat(f)
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		v.SetInt(int64(n))
	}
	return nil
}

// Settings lists what Set can change, by name, with the values in o.
func Settings(o match.Options) []string {
	var out []string
	settable(reflect.ValueOf(&o).Elem(), "", func(name string, v reflect.Value) {
		out = append(out, fmt.Sprintf("%s=%v", name, v.Interface()))
	})
	slices.Sort(out)
	return out
}
