package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	errLost       = errors.New("connection lost")
	errRolledBack = errors.New("the server rolled back instead of committing")
)

// pgConnector makes connections for a pool of database/sql. It is a driver
// of its own rather than pgx's because a transaction here must know its
// first failure whatever a closure makes of it, and because any Go string
// must be storable.
type pgConnector struct {
	config     *pgx.ConnConfig
	reads      bool         // no statement of it writes: any may be sent again
	generation atomic.Int64 // counts lost connections
}

// Connect implements driver.Connector.
func (c *pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	generation := c.generation.Load()
	conn, err := pgx.ConnectConfig(ctx, c.config)
	if err != nil {
		return nil, err
	}
	return &pgConn{conn: conn, connector: c, generation: generation}, nil
}

// Driver implements driver.Connector.
func (c *pgConnector) Driver() driver.Driver { return pgDriver{} }

type pgDriver struct{}

func (pgDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("connections are made by the connector")
}

// pgConn is one connection. It reads a whole answer before it returns.
type pgConn struct {
	conn       *pgx.Conn
	connector  *pgConnector
	generation int64
	fault      error // the first failure since begin
	waiting    []statement
}

var (
	_ driver.QueryerContext  = (*pgConn)(nil)
	_ driver.ExecerContext   = (*pgConn)(nil)
	_ driver.ConnBeginTx     = (*pgConn)(nil)
	_ driver.SessionResetter = (*pgConn)(nil)
	_ driver.Validator       = (*pgConn)(nil)
	_ driver.Pinger          = (*pgConn)(nil)

	_ driver.NamedValueChecker = (*pgConn)(nil)
)

// CheckNamedValue implements driver.NamedValueChecker: lists are parameters
// too, as PostgreSQL's arrays.
func (c *pgConn) CheckNamedValue(v *driver.NamedValue) error { return checkNamedValue(v) }

func checkNamedValue(v *driver.NamedValue) error {
	switch v.Value.(type) {
	case []string, []int16, []int64, [][]byte:
		return nil
	}
	return driver.ErrSkip
}

// Close implements driver.Conn.
func (c *pgConn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.conn.Close(ctx)
}

// ResetSession implements driver.SessionResetter. When one connection was
// lost, those opened before it are suspect too.
func (c *pgConn) ResetSession(context.Context) error {
	if c.generation != c.connector.generation.Load() {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *pgConn) IsValid() bool { return !c.conn.IsClosed() && c.conn.PgConn().TxStatus() == 'I' }

// Ping implements driver.Pinger.
func (c *pgConn) Ping(ctx context.Context) error { return c.failed(ctx, c.conn.Ping(ctx)) }

// failed notes a failure, and tells a lost connection from a refusal.
func (c *pgConn) failed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || !c.conn.IsClosed():
	default:
		c.connector.generation.Add(1)
		if c.connector.reads || pgconn.SafeToRetry(err) {
			err = driver.ErrBadConn // database/sql tries another
		} else {
			err = fmt.Errorf("%w: %w", errLost, err)
		}
	}
	if c.fault == nil {
		c.fault = err
	}
	return err
}

// QueryContext implements driver.QueryerContext.
func (c *pgConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(c.waiting) > 0 {
		rows, _, err := c.follow(ctx, statement{query: query, args: args})
		if err != nil {
			return nil, err
		}
		return rows, nil
	}
	rows, err := c.conn.Query(ctx, query, pgArgs(args)...)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	all, err := readRows(rows)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return all, nil
}

// readRows reads a whole answer.
func readRows(rows pgx.Rows) (*pgRows, error) {
	defer rows.Close()
	all := &pgRows{}
	for _, field := range rows.FieldDescriptions() {
		all.columns = append(all.columns, field.Name)
	}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		all.rows = append(all.rows, values)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if all.columns == nil {
		for _, field := range rows.FieldDescriptions() {
			all.columns = append(all.columns, field.Name)
		}
	}
	return all, nil
}

// ExecContext implements driver.ExecerContext.
func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(c.waiting) > 0 {
		_, affected, err := c.follow(ctx, statement{query: query, args: args})
		return driver.RowsAffected(affected), err
	}
	tag, err := c.conn.Exec(ctx, query, pgArgs(args)...)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

// ahead implements pipeline.
func (c *pgConn) ahead(s statement) { c.waiting = append(c.waiting, s) }

func (c *pgConn) takeAhead() []statement {
	all := c.waiting
	c.waiting = nil
	return all
}

// flush implements pipeline.
func (c *pgConn) flush(ctx context.Context) error {
	if len(c.waiting) == 0 {
		return nil
	}
	_, _, err := c.follow(ctx)
	return err
}

// follow runs what waits and then a last statement, if there is one, in one
// round trip.
func (c *pgConn) follow(ctx context.Context, last ...statement) (*pgRows, int64, error) {
	all := append(c.takeAhead(), last...)
	rows, affected, failed, err := c.send(ctx, all)
	for i, s := range all {
		switch {
		case s.done == nil && i < failed:
		case i < failed:
			if err := s.done(affected[i], nil); err != nil {
				return nil, 0, err
			}
		case s.done == nil:
			return nil, 0, err
		default:
			return nil, 0, s.done(0, err)
		}
	}
	n := len(all) - 1
	return rows[n], affected[n], nil
}

// send runs statements in one round trip. Failed is how many did not fail: the
// next one did, and those behind it were not run.
func (c *pgConn) send(ctx context.Context, all []statement) (rows []*pgRows, affected []int64, failed int, err error) {
	var batch pgx.Batch
	for _, s := range all {
		batch.Queue(s.query, pgArgs(s.args)...)
	}
	results := c.conn.SendBatch(ctx, &batch)
	rows, affected = make([]*pgRows, len(all)), make([]int64, len(all))
	for ; failed < len(all); failed++ {
		var got pgx.Rows
		if got, err = results.Query(); err != nil {
			break
		}
		if rows[failed], err = readRows(got); err != nil {
			break
		}
		affected[failed] = got.CommandTag().RowsAffected()
	}
	if err = errors.Join(err, results.Close()); err != nil {
		err = c.failed(ctx, err)
		failed = min(failed, len(all)-1)
	}
	return rows, affected, failed, err
}

// beginAhead starts a transaction with the first statement that follows. It
// waits for no lock longer than that, if that is over 0.
func (c *pgConn) beginAhead(wait time.Duration) {
	c.fault = nil
	c.waiting = []statement{{query: "BEGIN ISOLATION LEVEL READ COMMITTED"}}
	if wait > 0 {
		c.ahead(statement{query: fmt.Sprintf("SET LOCAL lock_timeout = %d", wait.Milliseconds())})
	}
}

// begin starts a transaction.
func (c *pgConn) begin(ctx context.Context) error {
	c.beginAhead(0)
	return c.flush(ctx)
}

// commit returns nil only if the server said that it has committed. A
// COMMIT of a transaction in which a statement failed is no error to it.
func (c *pgConn) commit(ctx context.Context) error {
	if len(c.waiting) > 0 { // nothing was asked but to begin
		c.waiting = nil
		return nil
	}
	tag, err := c.conn.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		return errRolledBack
	}
	return err
}

func (c *pgConn) rollback(ctx context.Context) error {
	if c.waiting = nil; c.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	_, err := c.conn.Exec(ctx, "ROLLBACK")
	return err
}

// BeginTx implements driver.ConnBeginTx, for migrations.
func (c *pgConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	return pgTx{c}, c.begin(ctx)
}

// Begin implements driver.Conn.
func (c *pgConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// Prepare implements driver.Conn.
func (c *pgConn) Prepare(string) (driver.Stmt, error) { return pgConnNoPrepare() }

func pgConnNoPrepare() (driver.Stmt, error) {
	return nil, errors.New("statements are prepared as they are run")
}

type pgTx struct{ *pgConn }

func (t pgTx) Commit() error   { return t.commit(context.Background()) }
func (t pgTx) Rollback() error { return t.rollback(context.Background()) }

// pgRows is a whole answer.
type pgRows struct {
	columns []string
	rows    [][]any
}

// Columns implements driver.Rows.
func (r *pgRows) Columns() []string { return r.columns }

// Close implements driver.Rows.
func (r *pgRows) Close() error { return nil }

// Next implements driver.Rows.
func (r *pgRows) Next(into []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	for i, value := range r.rows[0] {
		switch v := value.(type) {
		case string:
			into[i] = unescape(v)
		case int32:
			into[i] = int64(v)
		case int16:
			into[i] = int64(v)
		default:
			into[i] = v
		}
	}
	r.rows = r.rows[1:]
	return nil
}

func pgArgs(args []driver.NamedValue) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		out[i] = pgArg(arg.Value)
	}
	return out
}

func pgArg(value any) any {
	switch v := value.(type) {
	case string:
		return escape(v)
	case []string:
		out := make([]string, len(v))
		for i, s := range v {
			out[i] = escape(s)
		}
		return out
	}
	return value
}

// PostgreSQL's text holds no zero and no bytes that are not UTF-8; Go's
// strings may. \x01 marks what stands for them: \x01\x01 is a zero, \x01\x02
// the mark itself, so the order of texts stays; \x01\x03 goes before a rune
// that is 256 over a byte. JSON, which most text is, has none of these.

func escape(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && strings.IndexByte(s, 1) < 0 {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == 0:
			out.WriteString("\x01\x01")
		case r == 1:
			out.WriteString("\x01\x02")
		case r == utf8.RuneError && n == 1:
			out.WriteString("\x01\x03")
			out.WriteRune(256 + rune(s[0]))
		default:
			out.WriteString(s[:n])
		}
		s = s[n:]
	}
	return out.String()
}

func unescape(s string) string {
	if strings.IndexByte(s, 1) < 0 {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		if s[0] != 1 || len(s) == 1 {
			out.WriteByte(s[0])
			s = s[1:]
			continue
		}
		kind := s[1]
		s = s[2:]
		switch kind {
		case 1:
			out.WriteByte(0)
		case 2:
			out.WriteByte(1)
		default:
			r, n := utf8.DecodeRuneInString(s)
			out.WriteByte(byte(r - 256))
			s = s[n:]
		}
	}
	return out.String()
}
