package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const madeDay = "../../internal/replay/testdata/made"

func TestADayIsReplayedTheSameTwice(t *testing.T) {
	files := []string{"solution_info_assignments.txt", "solution_info_orders.txt", "solution_info_couriers.txt"}
	var runs [2][]byte
	for i := range runs {
		out := t.TempDir()
		code, stdout, stderr := dispatchCommand(t, "replay", "--mdrp", madeDay, "--out", out, "--set", "Search.PerOrder=1")
		if code != 0 || !strings.Contains(stdout, "mean of 1") {
			t.Fatalf("%d, %s%s", code, stdout, stderr)
		}
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(out, "made", name))
			if err != nil {
				t.Fatal(err)
			}
			runs[i] = append(runs[i], text...)
		}
	}
	if !bytes.Equal(runs[0], runs[1]) {
		t.Error("two replays differ")
	}
}

func TestABrokenDayIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	broken, out := filepath.Join(t.TempDir(), "broken"), filepath.Join(t.TempDir(), "out")
	if err := os.CopyFS(broken, os.DirFS(madeDay)); err != nil {
		t.Fatal(err)
	}
	orders := filepath.Join(broken, "orders.txt")
	text, err := os.ReadFile(orders)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(orders, bytes.Replace(text, []byte("\tr3\t"), []byte("\tr33\t"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := dispatchCommand(t, "replay", "--mdrp", madeDay, broken, "--out", out)
	if code != 1 || !strings.Contains(stderr, `orders.txt, line 2: no restaurant "r33"`) {
		t.Errorf("%d, %s", code, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something is written")
	}
}

func TestWrongSettingsOfAReplayAreNamedTogether(t *testing.T) {
	code, _, stderr := dispatchCommand(t, "replay", "--mdrp", madeDay, "--every", "90s", "--set", "MaxBundle=x", "--set", "a=b")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, says := range []string{"--out:", "--every:", `no option "a"`, `MaxBundle: "x"`} {
		if !strings.Contains(stderr, says) {
			t.Errorf("%q is not in:\n%s", says, stderr)
		}
	}
	code, _, stderr = dispatchCommand(t, "replay", "--data-dir", t.TempDir(), "--couriers", "4")
	for _, says := range []string{"--from:", "--to:", "--couriers:"} {
		if code != 2 || !strings.Contains(stderr, says) {
			t.Errorf("%q is not in:\n%s", says, stderr)
		}
	}
}

func TestMatchersAreComparedInTheMadeCity(t *testing.T) {
	rows := func() []string {
		code, stdout, stderr := dispatchCommand(t, "replay", "--city", "--couriers", "4", "--orders-per-hour", "6",
			"--duration", "20m", "--seeds", "2", "--every", "30s", "--futures", "1", "--set", "Search.PerOrder=1", "--set", "Search.Base=10")
		if code != 0 {
			t.Fatalf("%d, %s", code, stderr)
		}
		var out []string
		for _, row := range strings.Split(strings.TrimSpace(stdout), "\n") {
			cells := strings.Split(row, " | ")
			out = append(out, strings.Join(cells[:len(cells)-1], " | ")) // but for the seconds
		}
		return out
	}
	first := rows()
	if len(first) != 4+13 || !strings.HasPrefix(first[4], "| nearest free courier, one by one | ") || !strings.HasPrefix(first[11], "| + 1 futures | ") {
		t.Errorf("%d lines:\n%s", len(first), strings.Join(first, "\n"))
	}
	if again := rows(); strings.Join(again, "\n") != strings.Join(first, "\n") {
		t.Errorf("\n%s\nand again\n%s", strings.Join(first, "\n"), strings.Join(again, "\n"))
	}
}

func TestWrongSettingsOfTheMadeCityAreNamedTogether(t *testing.T) {
	code, _, stderr := dispatchCommand(t, "replay", "--city", "--couriers", "+3x", "--seeds", "0", "--orders-per-hour", "0", "--duration=-1m", "--set", "MaxBundle=9")
	for _, says := range []string{"--couriers:", "--seeds:", "--orders-per-hour:", "--duration:", "MaxBundle:"} {
		if code != 2 || !strings.Contains(stderr, says) {
			t.Errorf("%q is not in:\n%s", says, stderr)
		}
	}
	if code, _, stderr := dispatchCommand(t, "replay", "--city", "--mdrp", madeDay); code != 2 || !strings.Contains(stderr, "--city:") {
		t.Errorf("%d, %s", code, stderr)
	}
}

// With the service itself no referee's files are written; the figures come in
// the same table.
func TestADayIsLivedWithTheService(t *testing.T) {
	code, stdout, stderr := dispatchCommand(t, "replay", "--mdrp", madeDay, "--service", "--step", "1m",
		"--set", "Search.PerOrder=0", "--set", "Search.Base=0", "--set", "Futures.Count=0")
	if code != 0 || !strings.Contains(stdout, "/54") || !strings.Contains(stdout, "mean of 1") {
		t.Errorf("%d, %s%s", code, stdout, stderr)
	}
	code, _, stderr = dispatchCommand(t, "replay", "--mdrp", madeDay, "--service", "--step", "0s", "--delay=-1s", "--out", t.TempDir(), "--set", "a=b")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"--step", "--delay", "--out", "--set"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%s is not named in %s", want, stderr)
		}
	}
}
