package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
)

// partConnector makes connections that lead into a shared transaction, so
// that a closure's statements are written once for both ways.
type partConnector struct{}

// Connect implements driver.Connector.
func (partConnector) Connect(context.Context) (driver.Conn, error) { return &partConn{}, nil }

// Driver implements driver.Connector.
func (partConnector) Driver() driver.Driver { return pgDriver{} }

// partConn is a member's view of the transaction that it is in.
type partConn struct{ member *member }

var (
	_ driver.QueryerContext = (*partConn)(nil)
	_ driver.ExecerContext  = (*partConn)(nil)

	_ driver.NamedValueChecker = (*partConn)(nil)
)

// CheckNamedValue implements driver.NamedValueChecker.
func (c *partConn) CheckNamedValue(v *driver.NamedValue) error { return checkNamedValue(v) }

// QueryContext implements driver.QueryerContext.
func (c *partConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r := c.member.ask(query, args)
	if r.err != nil {
		return nil, r.err
	}
	return r.rows, nil
}

// ExecContext implements driver.ExecerContext.
func (c *partConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	r := c.member.ask(query, args)
	c.member.wrote = c.member.wrote || r.err != nil || r.affected > 0
	return driver.RowsAffected(r.affected), r.err
}

// Close implements driver.Conn.
func (c *partConn) Close() error { return nil }

// Begin implements driver.Conn.
func (c *partConn) Begin() (driver.Tx, error) {
	return nil, errors.New("a shared transaction has begun already")
}

// Prepare implements driver.Conn.
func (c *partConn) Prepare(string) (driver.Stmt, error) { return pgConnNoPrepare() }
