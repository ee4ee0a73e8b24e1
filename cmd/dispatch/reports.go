package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"

	"courier/internal/telemetry"
)

// reportFlags say where errors are reported.
type reportFlags struct {
	SentryDSN string `name:"sentry-dsn" help:"Where errors are reported, by Sentry's protocol. Empty: nowhere but in the log." placeholder:"URL" env:"DISPATCH_SENTRY_DSN,COURIER_SENTRY_DSN" group:"Listening"`
}

func (f reportFlags) check(s *settings) {
	if f.SentryDSN == "" {
		return
	}
	if err := telemetry.CheckDSN(f.SentryDSN); err != nil {
		s.add("sentry-dsn", "%v", err)
	}
}

// open returns the log that reports too, and nil reports where there are none.
func (f reportFlags) open(node string, log *slog.Logger) (*slog.Logger, *telemetry.Reports, error) {
	if f.SentryDSN == "" {
		return log, nil, nil
	}
	reports, err := telemetry.NewReports(telemetry.ReportConfig{DSN: f.SentryDSN, Node: node, Version: version})
	if err != nil {
		return nil, nil, err
	}
	return slog.New(reports.Handler(log.Handler())), reports, nil
}

// keepCrashes has what ends the node kept in --data-dir until its next start.
// A node that has no place for it serves all the same.
func (n *node) keepCrashes(ctx context.Context) {
	if n.reports == nil {
		return
	}
	file := "crash-" + strings.NewReplacer("/", "_", ":", "_").Replace(n.flags.node) + ".txt"
	if err := n.reports.KeepCrashes(filepath.Join(n.flags.DataDir, file), n.log); err != nil {
		n.log.LogAttrs(ctx, slog.LevelWarn, "a crash will not be reported", slog.Any("err", err))
	}
}
