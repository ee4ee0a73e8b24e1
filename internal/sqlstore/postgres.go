package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"courier/dispatch"
)

// postgresLock is the advisory lock under which a node migrates: "Cour".
const postgresLock = sqliteApplication

// PostgresConfig says where a Store finds its database.
type PostgresConfig struct {
	URL     string           // postgres://user:password@host:port/database?…; sessions, not a pool of transactions
	Readers int              // most connections that read; 0: 8
	Writers int              // most connections that write; 0: 16
	Timeout time.Duration    // of one Update, with all its tries; 0: 10 s
	Node    string           // which of the nodes that share it this is: it publishes what it wrote; empty: "node"
	Now     func() time.Time // dates what has no time of its own; nil: time.Now
}

func (c PostgresConfig) validate() error {
	var errs []error
	if c.URL == "" {
		errs = append(errs, errors.New("URL is empty"))
	}
	if c.Readers < 0 {
		errs = append(errs, fmt.Errorf("Readers is %d, under 0", c.Readers))
	}
	if c.Writers < 0 {
		errs = append(errs, fmt.Errorf("Writers is %d, under 0", c.Writers))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("Timeout is %s, under 0", c.Timeout))
	}
	return errors.Join(errs...)
}

func (c PostgresConfig) withDefaults() PostgresConfig {
	if c.Readers == 0 {
		c.Readers = 8
	}
	if c.Writers == 0 {
		c.Writers = 16
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Node == "" {
		c.Node = onlyNode
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// OpenPostgres opens a database that other nodes may use too, and brings its
// schema up to date. Close it.
//
// Errors: ErrNewer, ErrForeign, dispatch.ErrUnavailable.
func OpenPostgres(ctx context.Context, c PostgresConfig) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("sqlstore config: %w", err)
	}
	s, err := openPostgres(ctx, c.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open the PostgreSQL database: %w", err)
	}
	return s, nil
}

func openPostgres(ctx context.Context, c PostgresConfig) (_ *Store, err error) {
	config, err := postgresSettings(c)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: postgresDialect(), node: c.Node, now: c.Now, committed: make(chan struct{}, 1)}
	s.asked = newQuestions(s)
	defer func() {
		if err != nil {
			err = errors.Join(s.dialect.explain(err), s.Close())
		}
	}()
	open := func(reads bool, most int) *sql.DB {
		db := sql.OpenDB(&pgConnector{config: config, reads: reads})
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
		db.SetConnMaxIdleTime(5 * time.Minute)
		s.release = append(s.release, db.Close)
		return db
	}
	write := open(false, c.Writers)
	// Migrations want a connection beside the one that holds the lock.
	schema := sql.OpenDB(&pgConnector{config: config})
	s.found, err = preparePostgres(ctx, s.dialect, schema)
	if err := errors.Join(err, schema.Close()); err != nil {
		return nil, err
	}
	s.read = open(true, c.Readers)
	s.pool = newPool(s, write, c.Timeout)
	s.creator = startCreator(s.pool)
	return s, nil
}

func postgresSettings(c PostgresConfig) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(c.URL) // its error hides the password
	if err != nil {
		return nil, fmt.Errorf("read the URL: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	for setting, value := range map[string]string{
		"application_name": "courier",
		// A node that is paused within a transaction must not keep its rows
		// from all the others.
		"idle_in_transaction_session_timeout": "10s",
		"tcp_keepalives_idle":                 "10",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
	} {
		if _, set := config.RuntimeParams[setting]; !set {
			config.RuntimeParams[setting] = value
		}
	}
	if config.ValidateConnect == nil { // a standby cannot write
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		// An answer promises that what it answers is on the disk.
		return conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false)
			WHERE current_setting('synchronous_commit') = 'off'`).Close()
	}
	return config, nil
}

// preparePostgres makes sure that the database is ours, and migrates it. An
// advisory lock lets one of several nodes do it at a time.
func preparePostgres(ctx context.Context, d *dialect, db *sql.DB) (found int64, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(postgresLock)); err != nil {
		return 0, fmt.Errorf("wait for others that migrate: %w", err)
	}
	defer func() {
		_, errUnlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(postgresLock))
		if err == nil {
			err = errUnlock
		}
	}()
	var foreign bool
	if err := conn.QueryRowContext(ctx, `SELECT to_regclass($1) IS NULL
		AND EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())`, d.version).Scan(&foreign); err != nil {
		return 0, fmt.Errorf("read the schema: %w", err)
	}
	if foreign {
		return 0, ErrForeign
	}
	return migrate(ctx, d, goose.DialectPostgres, db)
}

// Ready says whether a commit is possible now, as far as that can be told
// without one: on PostgreSQL, that a connection for writing is to be had and
// that its server is no standby and not read-only. On SQLite the writer must
// answer.
func (s *Store) Ready(ctx context.Context) error {
	if s.pool == nil {
		return s.update(ctx, func(*tx) error { return nil })
	}
	if !s.pool.enter() {
		return ErrClosed
	}
	defer s.pool.running.Done()
	var readOnly bool
	err := s.pool.db.QueryRowContext(ctx, "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool").Scan(&readOnly)
	if err == nil && readOnly {
		return fmt.Errorf("%w: the database is read-only", dispatch.ErrUnavailable)
	}
	return s.dialect.failed(err, "ask whether the database can write")
}

func postgresDialect() *dialect {
	refused := func(err error, code string) (*pgconn.PgError, bool) {
		var e *pgconn.PgError
		ok := errors.As(err, &e) && e.Code == code
		return e, ok
	}
	return &dialect{
		name: "postgres", version: "courier_schema",
		hint: func(string) string { return "" }, // it has statistics
		cut:  true,
		lock: " FOR UPDATE", share: " FOR KEY SHARE",
		clock: "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
		any:   " = ANY(%s)",
		texts: func(texts []string) any { return texts },
		asks:  2,
		lease: postgresLease,
		unique: func(err error) bool {
			_, ok := refused(err, "23505")
			return ok
		},
		check: func(err error, constraint string) bool {
			e, ok := refused(err, "23514")
			return ok && e.ConstraintName == constraint
		},
		explain: explainPostgres,
	}
}

// explainPostgres tells a database that cannot serve now from one that
// refuses.
func explainPostgres(err error) error {
	var refused *pgconn.PgError
	var unreached *pgconn.ConnectError
	switch {
	case err == nil || errors.Is(err, dispatch.ErrUnavailable):
		return err
	case errors.As(err, &unreached), errors.Is(err, errLost), errors.Is(err, driver.ErrBadConn), errors.Is(err, errRolledBack):
	case !errors.As(err, &refused):
		return err
	case refused.Severity == "FATAL" || refused.Severity == "PANIC":
	case slices.Contains([]string{
		"08", // connection
		"40", // transaction rolled back, more often than is worth trying
		"53", // insufficient resources: a full disk, too many connections
		"57", // operator intervention: shutting down, cancelled
		"58", // system error: input or output
	}, refused.Code[:2]):
	case refused.Code == "25006", refused.Code == "25P03", refused.Code == "55P03": // read only; idle for too long; lock timeout
	default:
		return err
	}
	return fmt.Errorf("%w: %w", dispatch.ErrUnavailable, err)
}
