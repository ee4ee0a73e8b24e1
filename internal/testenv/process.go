// Package testenv starts private engines and nodes for tests: real processes,
// the engines from Debian's packages, on free ports, in temporary folders,
// stopped by pid. It never touches one that is running already. What stands
// between them can be cut, black-holed and slowed.
//
//	people ─► Balancer ─► Dispatch (node) ─► Link ─► PostgreSQL, Redis, RabbitMQ
package testenv

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// patience bounds how long an engine may take to start or stop.
const patience = time.Minute

// FreePort is a port on loopback that nobody listens on now. It lies under
// those that the system gives to outgoing connections: whoever listens there
// may stop and come back to it while thousands of connections are made.
func FreePort(t T) int {
	t.Helper()
	var lc net.ListenConfig
	for range 1000 {
		port := 10_000 + rand.IntN(22_000)
		l, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal("no free port")
	return 0
}

// Binary finds an engine's program: on the PATH, or where Debian keeps it.
// It fails the test when there is none: in CI a skip would hide a hole.
func Binary(t T, name string, places ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(pattern)
		if len(found) > 0 {
			return found[len(found)-1] // the newest version
		}
	}
	t.Fatalf("%s is not installed: run scripts/deps", name)
	return ""
}

// Process is a running engine.
type Process struct {
	t    T
	name string
	make func() *exec.Cmd
	cmd  *exec.Cmd
	log  string // file
	done chan struct{}
}

// Start runs a command until the test ends; command makes it anew for each
// start. What it prints goes to a file, which is shown if the test fails.
func Start(t T, name string, command func() *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, name: name, make: command, log: filepath.Join(t.TempDir(), name+".log")}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			if said, err := os.ReadFile(p.log); err == nil {
				t.Logf("%s said:\n%s", name, said[max(0, len(said)-8000):])
			}
		}
	})
	p.Restart()
	return p
}

// Restart starts the engine again after Kill, on its data as they are.
func (p *Process) Restart() {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	cmd := p.make()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true // its children go with it
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() { _ = cmd.Wait(); close(done) }()
}

// Signal sends a signal to the engine and its children.
func (p *Process) Signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// Stop asks the engine to end and gives it a while to do so; false: it was
// killed then.
func (p *Process) Stop(within time.Duration) bool {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(within):
		p.Kill()
		return false
	}
}

// Kill is kill -9, and waits for the end.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Peak is the most memory that the process has had resident, in bytes; 0 if
// it is not there.
func (p *Process) Peak() int64 {
	said, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(said) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, _ := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// ExitCode is that of a process that has ended by itself; -1: it was killed.
func (p *Process) ExitCode() int {
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is the file with what the process has printed, over all its starts.
func (p *Process) Log() string { return p.log }

// WaitFor asks until an engine answers; it fails the test if that takes too
// long or the process ends before.
func (p *Process) WaitFor(what string, ready func() error) {
	p.t.Helper()
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if err = ready(); err == nil {
			return
		}
		select {
		case <-p.done:
			said, _ := os.ReadFile(p.log)
			p.t.Fatalf("%s ended before it was %s: %v\n%s", p.name, what, err, said)
		default:
		}
	}
	p.t.Fatalf("%s is not %s after %s: %v", p.name, what, patience, err)
}

// Nobody is the credential of an account for engines that refuse to run as
// root, and a folder that it may write to. Where the test is not root itself,
// the credential is nil.
func Nobody(t T, account string) (*syscall.Credential, string) {
	t.Helper()
	dir := t.TempDir()
	if os.Getuid() != 0 {
		return nil, dir
	}
	u, err := user.Lookup(account)
	if err != nil {
		t.Fatalf("no account %s: %v", account, err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatalf("ids of %s: %v", account, err)
	}
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { //nolint:gosec // the account must get through
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, dir
}
