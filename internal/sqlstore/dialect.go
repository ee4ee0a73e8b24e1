package sqlstore

import (
	"database/sql"
	"embed"
	"errors"
	"fmt"

	"courier/dispatch"
)

// dialect is all in which databases differ here. Statements are written
// once: parameters are $1, $2, …, each first used in ascending order, since
// SQLite numbers them by first use.
type dialect struct {
	name    string
	version string                                  // the table of schema versions
	hint    func(index string) string               // follows a table: read it by this index
	cut     bool                                    // does not merge a UNION ALL in order: each arm ends at the limit
	lock    string                                  // ends a SELECT that locks its rows
	share   string                                  // ends a SELECT whose rows' keys must stay as they are
	clock   string                                  // now, in microseconds
	any     string                                  // follows a column: is one of the texts in a parameter, %s
	texts   func(texts []string) any                // what such a parameter is
	asks    int                                     // reads of one kind at a time before the next ones share a statement
	lease   string                                  // Leases, see there
	unique  func(err error) bool                    // a primary key or unique index refused
	check   func(err error, constraint string) bool // a CHECK of this name refused
	explain func(err error) error                   // adds this package's own sentinel, or nothing
}

// anyOf follows a column: is one of the texts in a parameter.
func (d *dialect) anyOf(parameter string) string { return fmt.Sprintf(d.any, parameter) }

// migrations holds each dialect's schema, version by version.
//
//go:embed migrations
var migrations embed.FS

// missing turns no row into ErrNotFound, and says what was looked for.
func (d *dialect) missing(err error, kind, id string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s %q: %w", kind, id, dispatch.ErrNotFound)
	}
	return fmt.Errorf("read %s %q: %w", kind, id, d.explain(err))
}

// failed says what was attempted, or returns nil for nil.
func (d *dialect) failed(err error, attempted string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", attempted, d.explain(err))
}
