package testenv

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// PostgresServer is a private PostgreSQL with fsync on. Anybody on this
// machine may connect to it while the test runs.
type PostgresServer struct {
	t         T
	process   *Process
	programs  string // folder
	data      string // folder
	port      int
	account   *syscall.Credential
	databases atomic.Int64
}

// Postgres is the URL of an empty database on a server of its own.
func Postgres(t T) string {
	t.Helper()
	return StartPostgres(t).Database(t)
}

// StartPostgres starts a server that stops with the test; settings, like
// shared_buffers=64MB, come over those that it would have.
func StartPostgres(t T, settings ...string) *PostgresServer {
	t.Helper()
	initdb, err := filepath.EvalSymlinks(Binary(t, "initdb", "/usr/lib/postgresql/*/bin/initdb"))
	if err != nil {
		t.Fatal(err)
	}
	account, dir := Nobody(t, "postgres")
	s := &PostgresServer{t: t, account: account, data: filepath.Join(dir, "data"), port: FreePort(t), programs: filepath.Dir(initdb)}
	s.run("initdb", "--pgdata", s.data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	sockets := dir
	if len(dir) > 80 {
		sockets = "" // a socket's path may have some 100 bytes
	}
	args := []string{
		"-D", s.data, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", sockets,
		"-c", "fsync=on", "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "dynamic_shared_memory_type=mmap",
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	s.process = Start(t, "postgres", func() *exec.Cmd { return s.command("postgres", args...) })
	t.Cleanup(func() {
		s.process.Signal(syscall.SIGQUIT)
		select {
		case <-s.process.done:
		case <-time.After(10 * time.Second):
		}
		s.Kill() // else it might write while its folder is removed
	})
	s.wait()
	return s
}

// URL is where a database of the server is.
func (s *PostgresServer) URL(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: fmt.Sprintf("127.0.0.1:%d", s.port),
		Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

// Addr is host:port.
func (s *PostgresServer) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// Database makes an empty database and returns its URL.
func (s *PostgresServer) Database(t T) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if out, err := s.command("psql", "--no-psqlrc", "--quiet", s.URL("postgres"), "-c", "CREATE DATABASE "+name).CombinedOutput(); err != nil {
		t.Fatalf("create database %s: %v\n%s", name, err, out)
	}
	return s.URL(name)
}

// Kill is kill -9 of the server and of every backend, which leave its
// process group.
func (s *PostgresServer) Kill() {
	s.process.Kill()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		left := s.backends()
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	s.t.Errorf("backends of PostgreSQL are still there: %v", s.backends())
}

// Restart starts the server again, on its data as they are.
func (s *PostgresServer) Restart() {
	s.t.Helper()
	s.process.Restart()
	s.wait()
}

// CPU is Process.CPU of the server with its backends.
func (s *PostgresServer) CPU() time.Duration { return s.process.CPU() }

// backends are the processes that work in the data folder, by pid.
func (s *PostgresServer) backends() (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if dir, err := os.Readlink(link); err != nil || dir != s.data {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(link, "/")[2]); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *PostgresServer) wait() {
	s.t.Helper()
	s.process.WaitFor("ready", func() error {
		return s.command("pg_isready", "--quiet", "--host=127.0.0.1", "--port="+strconv.Itoa(s.port)).Run()
	})
}

func (s *PostgresServer) run(program string, args ...string) {
	s.t.Helper()
	if out, err := s.command(program, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func (s *PostgresServer) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, program), args...) //nolint:gosec // ours; it is stopped by pid
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return cmd
}

// Dump writes a database into a file, as pg_dump --format=custom does.
func (s *PostgresServer) Dump(t T, url string) (file string) {
	t.Helper()
	file = filepath.Join(filepath.Dir(s.data), fmt.Sprintf("dump%d", s.databases.Add(1)))
	s.run("pg_dump", "--format=custom", "--file="+file, url)
	return file
}

// Restored is a new database with what is in a dump.
func (s *PostgresServer) Restored(t T, file string) (url string) {
	t.Helper()
	url = s.Database(t)
	s.run("pg_restore", "--no-owner", "--exit-on-error", "--dbname="+url, file)
	return url
}
