package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"courier/dispatch"
)

// query reads a URL's parameters as strictly as a body's fields, and gathers
// what is wrong with them.
type query struct {
	values url.Values
	wrong  []dispatch.FieldError
}

// newQuery refuses parameters that are not among the known ones, or given
// twice.
func newQuery(r *http.Request, known ...string) (*query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errQuery
	}
	q := &query{values: values}
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			q.fault(strings.ToValidUTF8(name, "\uFFFD"), "is not a known parameter")
		case len(given) > 1:
			q.fault(name, "is given twice")
		}
	}
	slices.SortFunc(q.wrong, func(a, b dispatch.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return q, nil
}

func (q *query) fault(field, problem string) {
	q.wrong = append(q.wrong, dispatch.FieldError{Field: field, Problem: problem})
}

func (q *query) err() error {
	if len(q.wrong) == 0 {
		return nil
	}
	return &dispatch.Invalid{Fields: q.wrong}
}

// text is a parameter of at most 128 characters, none of them a control
// character.
func (q *query) text(name string) string {
	v := q.values.Get(name)
	switch {
	case !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl):
		q.fault(name, "must be printable")
	case utf8.RuneCountInString(v) > 128:
		q.fault(name, "is longer than 128 characters")
	default:
		return v
	}
	return ""
}

// cursor may be longer than text: it is ours.
func (q *query) cursor() string {
	v := q.values.Get("cursor")
	if len(v) > 512 || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
		q.fault("cursor", "is none that was given out")
		return ""
	}
	return v
}

// limit is how many entries a page may have.
func (q *query) limit() int { return q.number("limit", 1, 200, 50) }

// number is a whole one; usual is what it is if the parameter is not there.
func (q *query) number(name string, least, most, usual int) int {
	if !q.values.Has(name) {
		return usual
	}
	n, err := strconv.Atoi(q.values.Get(name))
	if err != nil || n < least || n > most {
		q.fault(name, fmt.Sprintf("must be between %d and %d", least, most))
	}
	return n
}

// period is what the parameters from and to enclose; both are needed.
func (q *query) period(longest time.Duration) (from, to time.Time) {
	from, to = q.time("from"), q.time("to")
	for name, t := range map[string]time.Time{"from": from, "to": to} {
		if t.IsZero() && !q.values.Has(name) {
			q.fault(name, "is missing")
		}
	}
	if length := to.Sub(from); len(q.wrong) == 0 && (length <= 0 || length > longest) {
		q.fault("to", fmt.Sprintf("must be after from, by at most %v", longest))
	}
	return from, to
}

// version is one that was seen; 0: the parameter is not there.
func (q *query) version() int64 {
	if !q.values.Has("version") {
		return 0
	}
	n, err := strconv.ParseInt(q.values.Get("version"), 10, 64)
	if err != nil || n < 1 {
		q.fault("version", "must be at least 1")
	}
	return n
}

// time is the zero time if the parameter is not there.
func (q *query) time(name string) time.Time {
	if !q.values.Has(name) {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, q.values.Get(name))
	if err != nil {
		q.fault(name, "must be a time as in RFC 3339, such as 2026-11-23T08:30:00Z")
	}
	return t.UTC()
}

// words reads a comma-separated list of words that valid knows.
func words[T ~string](q *query, name string, valid func(T) bool) []T {
	if !q.values.Has(name) {
		return nil
	}
	var out []T
	for _, w := range strings.Split(q.values.Get(name), ",") {
		switch {
		case !valid(T(w)):
			q.fault(name, "must be a list of known words, with commas between them")
			return nil
		case !slices.Contains(out, T(w)):
			out = append(out, T(w))
		}
	}
	return out
}
