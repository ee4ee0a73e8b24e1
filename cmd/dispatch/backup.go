package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"courier/internal/sqlstore"
)

type backupCommand struct {
	File    string `arg:"" help:"The new file; nothing may be there yet." type:"path"`
	DataDir string `default:"./data" help:"Where the SQLite file is." type:"path" group:"Data"`
}

// Help is what --help says at length.
func (backupCommand) Help() string {
	return `The server may run: it is not held up, and everything that it acknowledged before is in the copy.
To go back: stop the server, put the file as courier.db into an empty directory, beside it
auth.secret from the old one, and start the server with it as --data-dir.
With --database-url the data are PostgreSQL's: pg_dump.`
}

// Run copies the SQLite database while a server may have it open.
func (c backupCommand) Run(ctx context.Context, s *streams, wrong *settings) error {
	if err := wrong.err(); err != nil {
		return err
	}
	switch err := sqlstore.Backup(ctx, c.DataDir, c.File); {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: --data-dir says where the SQLite file is", err)
	case err != nil:
		return err
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return fmt.Errorf("look at the backup: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "%s: %.1f MB, checked.\n", c.File, float64(info.Size())/1e6)
	return err
}
