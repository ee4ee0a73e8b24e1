// Command dispatch is Courier: a courier dispatch and live tracking service.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

var version = "dev" // set when linking

func main() { os.Exit(runUntilTold()) }

func runUntilTold() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// run is the whole command; it returns the exit code: 2 for wrong settings,
// 1 for a fault.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commands
	var wrong settings
	parsed, err := parse(&cli, &wrong, args, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "dispatch: %v\n", err)
		return 2
	}
	if parsed == nil { // --help has been shown
		return 0
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(&streams{stdout, stderr})
	var bad *settingsError
	switch {
	case errors.As(err, &bad):
		fmt.Fprintf(stderr, "dispatch: %v\n", err)
		return 2
	case err != nil:
		fmt.Fprintf(stderr, "dispatch: %v\n", err)
		return 1
	}
	return 0
}

type streams struct{ out, err io.Writer }

type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Demo     demoCommand     `cmd:"" help:"Run the server with a made city at work: couriers, customers and orders."`
	Simulate simulateCommand `cmd:"" help:"Let simulated couriers and customers loose on a server, and check what it promised them."`
	Replay   replayCommand   `cmd:"" help:"Run the matcher over days that are known already, and score it."`
	Bench    benchCommand    `cmd:"" help:"Load a server over its public protocols, and say what it costs beside a bare loop."`
	Floor    floorCommand    `cmd:"" hidden:"" help:"The bare loop that bench compares with."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the schema of the database up to date, which serve does at its start too."`
	Backup   backupCommand   `cmd:"" help:"Copy the SQLite database into a file, while the server runs."`
	Token    tokenCommand    `cmd:"" help:"Print a signed token for a member of staff."`
	Health   healthCommand   `cmd:"" help:"Ask the server on this machine whether it can commit; exit code 1 if not."`
	Parked   parkedCommand   `cmd:"" help:"List work that the nodes could not do, or have them try again."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

type versionCommand struct{}

func (versionCommand) Run(s *streams, wrong *settings) error {
	if err := wrong.err(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "dispatch", version)
	return err
}
