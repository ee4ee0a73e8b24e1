package main

import (
	"context"
	"fmt"
	"time"

	"courier/internal/clock"
	"courier/internal/sqlstore"
)

type migrateCommand struct {
	Check       bool   `help:"Only say whether the schema is up to date; exit with 1 if it is not."`
	DatabaseURL string `name:"database-url" help:"PostgreSQL, instead of the SQLite file." placeholder:"URL" group:"Data"`
	DataDir     string `default:"./data" help:"Where the SQLite file is." type:"path" group:"Data"`
}

// Run brings the schema up to date, as serve does at its start: by itself, so
// that it can be done, and seen to work, before nodes of a new version start.
func (c migrateCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	if err := wrong.err(); err != nil {
		return err
	}
	if c.Check {
		return c.check(ctx, s)
	}
	var f serverFlags
	f.DatabaseURL, f.DataDir = c.DatabaseURL, c.DataDir
	store, err := openStore(ctx, f, clock.New(time.Now(), 1))
	if err != nil {
		return err
	}
	schema := store.Migrated()
	if err := store.Close(); err != nil {
		return err
	}
	if schema.Has == schema.Knows {
		return c.upToDate(s, schema)
	}
	_, err = fmt.Fprintf(s.out, "The schema went from version %d to %d.\n", schema.Has, schema.Knows)
	return err
}

func (c migrateCommand) check(ctx context.Context, s *streams) (err error) {
	var schema sqlstore.Schema
	if c.DatabaseURL != "" {
		schema, err = sqlstore.CheckPostgresSchema(ctx, sqlstore.PostgresConfig{URL: c.DatabaseURL})
	} else {
		schema, err = sqlstore.CheckSchema(ctx, sqlstore.Config{Dir: c.DataDir})
	}
	switch {
	case err != nil:
		return err
	case schema.Has != schema.Knows:
		return fmt.Errorf("the schema is version %d and not up to date: dispatch migrate brings it to %d", schema.Has, schema.Knows)
	}
	return c.upToDate(s, schema)
}

func (migrateCommand) upToDate(s *streams, schema sqlstore.Schema) error {
	_, err := fmt.Fprintf(s.out, "The schema is up to date at version %d.\n", schema.Has)
	return err
}
