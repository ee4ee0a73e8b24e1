package main

import (
	"errors"
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
// What ends the node is kept in a file of a folder until its next start.
func (f reportFlags) open(node, dir string, log *slog.Logger) (*slog.Logger, *telemetry.Reports, error) {
	if f.SentryDSN == "" {
		return log, nil, nil
	}
	reports, err := telemetry.NewReports(telemetry.ReportConfig{DSN: f.SentryDSN, Node: node, Version: version})
	if err != nil {
		return nil, nil, err
	}
	log = slog.New(reports.Handler(log.Handler()))
	file := "crash-" + strings.NewReplacer("/", "_", ":", "_").Replace(node) + ".txt"
	if err := reports.KeepCrashes(filepath.Join(dir, file), log); err != nil {
		return nil, nil, errors.Join(err, reports.Close())
	}
	return log, reports, nil
}
