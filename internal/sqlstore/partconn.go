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
type partConn struct {
	member  *member
	waiting []statement
}

var (
	_ driver.QueryerContext = (*partConn)(nil)
	_ driver.ExecerContext  = (*partConn)(nil)

	_ driver.NamedValueChecker = (*partConn)(nil)
)

// CheckNamedValue implements driver.NamedValueChecker.
func (c *partConn) CheckNamedValue(v *driver.NamedValue) error { return checkNamedValue(v) }

// QueryContext implements driver.QueryerContext.
func (c *partConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, _, err := c.follow(statement{query: query, args: args})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// ExecContext implements driver.ExecerContext.
func (c *partConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	_, affected, err := c.follow(statement{query: query, args: args})
	c.member.wrote = c.member.wrote || err != nil || affected > 0
	return driver.RowsAffected(affected), err
}

// ahead implements pipeline.
func (c *partConn) ahead(s statement) { c.waiting = append(c.waiting, s) }

// flush implements pipeline.
func (c *partConn) flush(context.Context) error {
	if len(c.waiting) == 0 {
		return nil
	}
	_, _, err := c.follow()
	return err
}

// follow asks for what waits and then a last statement, if there is one.
func (c *partConn) follow(last ...statement) (*pgRows, int64, error) {
	waited := len(c.waiting)
	all := append(c.waiting, last...)
	c.waiting = nil
	c.member.wrote = c.member.wrote || waited > 0
	r := c.member.ask(all)
	for i, s := range all[:waited] {
		affected := int64(0)
		if r.err == nil {
			affected = r.affected[i]
		}
		if err := s.done(affected, r.err); err != nil {
			c.member.failed = true
			return nil, 0, err
		}
	}
	if r.err != nil {
		return nil, 0, r.err
	}
	return r.rows, r.affected[len(all)-1], nil
}

// Close implements driver.Conn.
func (c *partConn) Close() error { return nil }

// Begin implements driver.Conn.
func (c *partConn) Begin() (driver.Tx, error) {
	return nil, errors.New("a shared transaction has begun already")
}

// Prepare implements driver.Conn.
func (c *partConn) Prepare(string) (driver.Stmt, error) { return pgConnNoPrepare() }
