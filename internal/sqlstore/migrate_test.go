package sqlstore

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"courier/dispatch"
	"courier/internal/testenv"
)

// upTo makes a database as an older program left it.
func upTo(t *testing.T, version int64, d *dialect, g goose.Dialect, db *sql.DB, statements ...string) {
	t.Helper()
	files, err := fs.Sub(migrations, "migrations/"+d.name)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(g, db, files, goose.WithDisableGlobalRegistry(true), goose.WithTableName(d.version))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// older are orders of schema 7: two under way, one of them failed with the
// goods on board, and two that have ended.
const older = `INSERT INTO orders (id, merchant, reference, status, terminal, courier, area, version, placed_at, changed_at, doc, ready_at) VALUES
	('waiting', 'm', 'r', 'searching', 0, '', 'a', 2, 1, 10, '{}', 5),
	('aboard', 'm', 'r', 'failed', 0, 'c', 'a', 5, 2, 20, '{"times":{"picked_up":"2026-11-28T10:00:00Z"}}', 5),
	('done', 'm', 'r', 'delivered', 1, 'c', 'a', 7, 3, 30, '{}', 5),
	('gone', 'm', 'r', 'cancelled', 1, '', 'a', 3, 4, 40, '{}', 5)`

func TestOlderOrdersAreFound(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *Store{
		"sqlite": func(t *testing.T) *Store {
			dir := made(t)
			path := filepath.Join(dir, sqliteFile)
			edit(t, dir, "PRAGMA writable_schema = 1; DELETE FROM sqlite_master; PRAGMA writable_schema = 0; VACUUM")
			db, err := sql.Open("sqlite3", path)
			if err != nil {
				t.Fatal(err)
			}
			upTo(t, 7, sqliteDialect(), goose.DialectSQLite3, db, older)
			return open(t, dir)
		},
		"postgres": func(t *testing.T) *Store {
			url := testenv.Postgres(t)
			config, err := postgresSettings(PostgresConfig{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			d := postgresDialect()
			upTo(t, 7, d, goose.DialectPostgres, sql.OpenDB(&pgConnector{config: config}), older)
			return openURL(t, url)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if found := s.Migrated(); found.Has != 7 || found.Knows < 8 {
				t.Errorf("the schema was %+v", found)
			}
			for what, tt := range map[string]struct {
				query dispatch.OrderQuery
				want  []string
			}{
				"all":                   {dispatch.OrderQuery{}, []string{"gone", "done", "aboard", "waiting"}},
				"open":                  {dispatch.OrderQuery{Open: true}, []string{"aboard", "waiting"}},
				"failed":                {dispatch.OrderQuery{Statuses: []dispatch.Status{dispatch.Failed}}, []string{"aboard"}},
				"delivered":             {dispatch.OrderQuery{Statuses: []dispatch.Status{dispatch.Delivered}}, []string{"done"}},
				"the courier's":         {dispatch.OrderQuery{Courier: "c"}, []string{"done", "aboard"}},
				"the merchant's":        {dispatch.OrderQuery{Merchant: "m"}, []string{"gone", "done", "aboard", "waiting"}},
				"changed since":         {dispatch.OrderQuery{ChangedFrom: time.UnixMicro(20)}, []string{"gone", "done", "aboard"}},
				"the area's waiting":    {dispatch.OrderQuery{Areas: []string{"a"}, Statuses: []dispatch.Status{dispatch.Searching}, ReadyBy: time.UnixMicro(5)}, []string{"waiting"}},
				"a status there is not": {dispatch.OrderQuery{Statuses: []dispatch.Status{"lost"}}, nil},
			} {
				found, _, err := s.Orders(t.Context(), tt.query)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				var ids []string
				for _, o := range found {
					ids = append(ids, o.ID)
				}
				if !slices.Equal(ids, tt.want) {
					t.Errorf("%s are %v, want %v", what, ids, tt.want)
				}
				if n, err := s.CountOrders(t.Context(), tt.query); err != nil || n != len(tt.want) {
					t.Errorf("%s are counted as %d: %v", what, n, err)
				}
			}
		})
	}
}

// What changes while an order is under way is in no index, else each change
// has to write all of them on PostgreSQL.
func TestAChangeOfAnOrderWritesNoIndex(t *testing.T) {
	changing := regexp.MustCompile(`\b(status|courier|version|changed_at|doc)\b`)
	for _, s := range []*Store{open(t, t.TempDir()), openURL(t, testenv.Postgres(t))} {
		query := "SELECT indexdef FROM pg_indexes WHERE tablename = 'orders'"
		if s.pool == nil {
			query = "SELECT sql FROM sqlite_master WHERE tbl_name = 'orders' AND type = 'index' AND sql IS NOT NULL"
		}
		all, err := collect(t.Context(), s.read, scanText, query)
		if err != nil || len(all) < 8 {
			t.Fatalf("%d indices: %v", len(all), err)
		}
		for _, index := range all {
			if found := changing.FindString(index); found != "" {
				t.Errorf("%s is in %s", found, index)
			}
		}
	}
}
