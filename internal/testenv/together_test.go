package testenv

import (
	"fmt"
	"strings"
	"testing"
)

// lone is a T that ends by a panic.
type lone struct{ *testing.T }

func (lone) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func TestWhatOneOfSeveralCannotDoEndsTheTest(t *testing.T) {
	done := make(chan struct{})
	defer func() {
		<-done // the others come to their end
		if fault := fmt.Sprint(recover()); !strings.Contains(fault, "no engine here") {
			t.Errorf("ended by %q", fault)
		}
	}()
	Together(lone{t},
		func(T) { close(done) },
		func(t T) { t.Fatalf("no engine %s", "here"); done <- struct{}{} })
	t.Error("went on")
}

func TestTogetherAfterwardsIsTheTestsOwn(t *testing.T) {
	var kept T
	Together(lone{t}, func(t T) { kept = t })
	defer func() {
		if recover() == nil {
			t.Error("a later fault did not end the test")
		}
	}()
	kept.Fatal("later")
}
