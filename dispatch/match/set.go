package match

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Set changes options by assignments like "MaxBundle=3" or
// "Search.PerOrder=0": a field's name, whose case does not matter, and its
// value. Its error holds each assignment that is wrong.
func Set(o Options, assignments []string) (Options, error) {
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
func Settings(o Options) []string {
	var out []string
	settable(reflect.ValueOf(&o).Elem(), "", func(name string, v reflect.Value) {
		out = append(out, fmt.Sprintf("%s=%v", name, v.Interface()))
	})
	slices.Sort(out)
	return out
}
