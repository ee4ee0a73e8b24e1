package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"

	"courier/internal/testenv"
)

// run waits for a command that is told where the cluster is. If it fails, so
// does the scope.
func (c *cluster) run(ctx context.Context, t testenv.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Env = append(os.Environ(), "COURIER="+c.url(), "ADMIN="+c.token(t, "admin"), "DISPATCH_AUTH_SECRET="+c.secret)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts goes with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v", command, err)
	}
}
