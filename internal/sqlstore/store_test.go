package sqlstore

import (
	"testing"

	"go.uber.org/goleak"

	"courier/dispatch"
	"courier/dispatch/dispatchtest"
	"courier/internal/auth/authtest"
	"courier/internal/outbox/outboxtest"
	"courier/tracking"
	"courier/tracking/trackingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens the store in a directory and closes it with the test.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestDispatch(t *testing.T) {
	dispatchtest.TestStore(t, func(t *testing.T) dispatch.Store { return open(t, t.TempDir()) })
}

func TestReopen(t *testing.T) {
	dispatchtest.TestReopen(t, func(t *testing.T) (dispatch.Store, func(t *testing.T) dispatch.Store) {
		dir := t.TempDir()
		s := open(t, dir)
		return s, func(t *testing.T) dispatch.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dir)
		}
	})
}

func TestOutbox(t *testing.T) {
	outboxtest.TestSource(t, func(t *testing.T) outboxtest.Store { return open(t, t.TempDir()) })
}

func TestMoved(t *testing.T) {
	outboxtest.TestMoved(t, func(t *testing.T) (outboxtest.Store, func(name string) outboxtest.Store) {
		dir := t.TempDir()
		s := open(t, dir)
		return s, func(name string) outboxtest.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), Config{Dir: dir, Node: name})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
	})
}

func TestAuth(t *testing.T) {
	authtest.TestStore(t, func(t *testing.T) authtest.Store { return open(t, t.TempDir()) })
}

func TestTrails(t *testing.T) {
	trackingtest.TestTrailStore(t, func(t *testing.T) tracking.TrailStore { return open(t, t.TempDir()) })
}

func TestNodes(t *testing.T) {
	dispatchtest.TestNodes(t, func(t *testing.T) dispatch.Store { return open(t, t.TempDir()) })
}

func TestLeases(t *testing.T) {
	dispatchtest.TestLeases(t, func(t *testing.T) dispatch.Store { return open(t, t.TempDir()) })
}
