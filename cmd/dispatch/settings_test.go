package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
)

// dispatchCommand runs the command line as a person would.
func dispatchCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, faults bytes.Buffer
	code = run(t.Context(), args, &out, &faults)
	return code, out.String(), faults.String()
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	dir := t.TempDir()
	code, _, stderr := dispatchCommand(t, "serve", "--data-dir", dir+"/made", "--mode", "guess", "--interval", "5x", "--zoom", "99",
		"--addr", "nowhere", "--auth-secret", "secret", "--center", "somewhere", "--travel-speed", "rocket=9", "--max-bundle", "many",
		"--deviation=-1m", "--limit-address", "lots", "--limit-sign-in", "0/s", "--limit-staff-sockets=-1",
		"--trace-to", "localhost:4318", "--trace-headers", "a key=1", "--trace-share", "1.5", "--trace-fix-share=-1")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, flag := range []string{"mode", "interval", "zoom", "addr", "auth-secret", "center", "travel-speed", "max-bundle",
		"deviation", "limit-address", "limit-sign-in", "limit-staff-sockets", "trace-to", "trace-headers", "trace-share", "trace-fix-share"} {
		if !strings.Contains(stderr, "--"+flag+":") {
			t.Errorf("--%s is not named in:\n%s", flag, stderr)
		}
	}
	if strings.Count(stderr, "--interval:") != 1 {
		t.Errorf("a value that cannot be read is named twice:\n%s", stderr)
	}
}

func TestWhatDispatchIsToldIsWhatTheFlagsSay(t *testing.T) {
	s := newServer(t, func(f *serverFlags) { f.Deviation, f.LostAfter = 90*time.Second, 7*time.Minute })
	c, err := s.flags.dispatchConfig()
	if err != nil || c.Deviation != 90*time.Second || c.LostAfter != 7*time.Minute {
		t.Errorf("deviation %s, lost after %s, %v", c.Deviation, c.LostAfter, err)
	}
}

func TestSettingsComeFromTheEnvironmentToo(t *testing.T) {
	t.Setenv("DISPATCH_OFFER_TIMEOUT", "soon")
	if code, _, stderr := dispatchCommand(t, "serve"); code != 2 || !strings.Contains(stderr, `--offer-timeout: "soon" is no duration`) {
		t.Errorf("%d, %s", code, stderr)
	}
}

func TestHelpNamesEveryFlagAndItsVariable(t *testing.T) {
	for _, command := range []string{"serve", "demo", "simulate", "replay", "migrate", "token", "health", "parked", "bench", "version"} {
		code, stdout, _ := dispatchCommand(t, command, "--help")
		if code != 0 || !strings.Contains(stdout, "Usage: dispatch "+command) {
			t.Errorf("%s: %d, %s", command, code, stdout)
		}
		flags := strings.Count(stdout, "  --") // beside -h, --help
		if variables := strings.Count(stdout, "($DISPATCH_"); variables < flags {
			t.Errorf("%s: %d flags, %d variables", command, flags, variables)
		}
	}
}

func TestAPublicSecretIsRefused(t *testing.T) {
	for _, secret := range []string{"short", strings.Repeat("a", 64), "changeme-changeme-changeme-changeme-1"} {
		code, _, stderr := dispatchCommand(t, "serve", "--data-dir", t.TempDir(), "--auth-secret", secret)
		if code != 2 || !strings.Contains(stderr, "--auth-secret") {
			t.Errorf("%q: %d, %s", secret, code, stderr)
		}
	}
}

func TestTwoServersCannotShareADataDirectory(t *testing.T) {
	s := newServer(t, nil)
	code, _, stderr := dispatchCommand(t, "serve", "--data-dir", s.flags.DataDir, "--addr", "127.0.0.1:0", "--admin-addr", "")
	if code != 1 || !strings.Contains(stderr, "in use by another process") {
		t.Errorf("%d, %s", code, stderr)
	}
}

func TestTheAdminListenerHasMetricsAndProfiles(t *testing.T) {
	s := newServer(t, func(f *serverFlags) { f.AdminAddr = "127.0.0.1:0" })
	for path, wants := range map[string][]string{
		"/metrics":      {"courier_fixes_rejected_total", "courier_bus_connected 1", "courier_bus_published_total", "courier_bus_work_parked_depth 0"},
		"/debug/pprof/": {"goroutine"},
	} {
		resp, err := s.http.Get("http://" + s.private.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		for _, want := range wants {
			if resp.StatusCode != 200 || !strings.Contains(body.String(), want) {
				t.Errorf("%s: %s without %s", path, resp.Status, want)
			}
		}
	}
}

func TestANodeThatCannotListenSaysWhy(t *testing.T) {
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	code, _, stderr := dispatchCommand(t, "serve", "--addr", taken.Addr().String(), "--data-dir", t.TempDir(), "--trace-to", "http://127.0.0.1:1")
	if code == 0 || !strings.Contains(stderr, "--addr: ") {
		t.Errorf("%d, %s", code, stderr)
	}
}
