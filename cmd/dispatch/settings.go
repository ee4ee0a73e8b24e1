package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"courier/geo"
	"courier/internal/bench"
)

// settingsError is one or more wrong settings, each by its flag's name.
type settingsError struct{ faults []error }

func (e *settingsError) Error() string {
	lines := make([]string, len(e.faults))
	for i, f := range e.faults {
		lines[i] = "  " + f.Error()
	}
	noun := "setting is"
	if len(lines) > 1 {
		noun = "settings are"
	}
	return fmt.Sprintf("%d %s wrong:\n%s\nSee dispatch --help.", len(lines), noun, strings.Join(lines, "\n"))
}

// settings gathers faults so that a person sees all of them at once, the
// first of each flag.
type settings struct {
	faults []error
	named  map[string]bool
}

func (s *settings) add(flag, format string, args ...any) {
	if s.named[flag] {
		return
	}
	if s.named == nil {
		s.named = map[string]bool{}
	}
	s.named[flag] = true
	s.faults = append(s.faults, fmt.Errorf("--%s: %s", flag, fmt.Sprintf(format, args...)))
}

func (s *settings) err() error {
	if len(s.faults) == 0 {
		return nil
	}
	return &settingsError{s.faults}
}

// parse reads flags and DISPATCH_… variables. Values that are not of their
// flag's type are gathered in wrong, where kong alone would stop at the
// first; the command adds its own. Nil: help was asked for and given.
func parse(cli *commands, wrong *settings, args []string, stdout, stderr io.Writer) (*kong.Context, error) {
	helped := false
	parser, err := kong.New(cli,
		kong.Name("dispatch"),
		kong.Description("Courier dispatch and live tracking: one binary, three screens, an API.\n\n"+
			"Every flag can be set by its environment variable too. Durations read like 90s, 5m or 1h30m."),
		kong.DefaultEnvars("DISPATCH"),
		kong.Vars{"scenarios": strings.Join(bench.Names(), ", ")},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		gather(wrong, "is no duration (write 90s, 5m, 1h30m)", time.ParseDuration),
		gather(wrong, "is no number", func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }),
		gather(wrong, "is no whole number", strconv.Atoi),
		gather(wrong, "is no time (write 2026-05-04T12:00:00Z)", func(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }),
		gather(wrong, "is no point (write lat,lng)", parsePoint),
		gather(wrong, "is no limit (write 20/s,100: a second and at once; or /m, /h; or off)", parseLimit),
	)
	if err != nil {
		return nil, fmt.Errorf("define flags: %w", err)
	}
	parsed, err := parser.Parse(args)
	if helped {
		return nil, nil
	}
	if err != nil {
		wrong.faults = append(wrong.faults, err)
		return nil, wrong.err()
	}
	parsed.Bind(wrong)
	return parsed, nil
}

// gather reads flags of a type and keeps what cannot be read for later.
func gather[T any](wrong *settings, problem string, read func(string) (T, error)) kong.Option {
	var zero T
	return kong.TypeMapper(reflect.TypeOf(zero), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		value, err := read(text)
		if err != nil {
			wrong.add(ctx.Value.Name, "%q %s", text, problem)
			return nil
		}
		target.Set(reflect.ValueOf(value))
		return nil
	}))
}

func parsePoint(s string) (geo.Point, error) {
	lat, lng, found := strings.Cut(s, ",")
	if !found {
		return geo.Point{}, errors.New("no comma")
	}
	var p geo.Point
	var err1, err2 error
	p.Lat, err1 = strconv.ParseFloat(strings.TrimSpace(lat), 64)
	p.Lng, err2 = strconv.ParseFloat(strings.TrimSpace(lng), 64)
	return p, errors.Join(err1, err2, p.Validate())
}
