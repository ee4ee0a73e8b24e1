package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
)

// database makes an empty database beside the given one, so that every own
// server starts alike and nobody's data are touched. Gone removes it.
func (r *run) database(ctx context.Context) (at string, gone func() error, err error) {
	u, err := url.Parse(r.DatabaseURL)
	if err != nil {
		return "", nil, errors.New("the database's URL cannot be read")
	}
	name := "bench_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := r.admin(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, fmt.Errorf("make a database: %w", err)
	}
	u.Path = "/" + name
	return u.String(), func() error {
		if err := r.admin(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("remove a database: %w", err)
		}
		return nil
	}, nil
}

func (r *run) admin(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", r.DatabaseURL)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}
