package sqlstore

import (
	"testing"

	"courier/dispatch"
	"courier/dispatch/dispatchtest"
	"courier/internal/auth/authtest"
	"courier/internal/outbox/outboxtest"
	"courier/internal/testenv"
	"courier/tracking"
	"courier/tracking/trackingtest"
)

// openURL opens the store in a PostgreSQL database and closes it with the
// test.
func openURL(t testing.TB, url string) *Store {
	t.Helper()
	return openNode(t, url, "")
}

func openNode(t testing.TB, url, name string) *Store {
	t.Helper()
	s, err := OpenPostgres(t.Context(), PostgresConfig{URL: url, Node: name})
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

func TestPostgres(t *testing.T) {
	server := testenv.StartPostgres(t)
	t.Run("dispatch", func(t *testing.T) {
		dispatchtest.TestStore(t, func(t *testing.T) dispatch.Store { return openURL(t, server.Database(t)) })
	})
	t.Run("reopen", func(t *testing.T) {
		dispatchtest.TestReopen(t, func(t *testing.T) (dispatch.Store, func(t *testing.T) dispatch.Store) {
			url := server.Database(t)
			s := openURL(t, url)
			return s, func(t *testing.T) dispatch.Store {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				return openURL(t, url)
			}
		})
	})
	t.Run("outbox", func(t *testing.T) {
		outboxtest.TestSource(t, func(t *testing.T) outboxtest.Store { return openURL(t, server.Database(t)) })
	})
	t.Run("outboxes", func(t *testing.T) {
		outboxtest.TestNodes(t, func(t *testing.T) func(name string) outboxtest.Store {
			url := server.Database(t)
			return func(name string) outboxtest.Store { return openNode(t, url, name) }
		})
		outboxtest.TestMoved(t, func(t *testing.T) (outboxtest.Store, func(name string) outboxtest.Store) {
			url := server.Database(t)
			return openNode(t, url, "host"), func(name string) outboxtest.Store { return openNode(t, url, name) }
		})
	})
	t.Run("auth", func(t *testing.T) {
		authtest.TestStore(t, func(t *testing.T) authtest.Store { return openURL(t, server.Database(t)) })
	})
	t.Run("leases", func(t *testing.T) {
		dispatchtest.TestLeases(t, func(t *testing.T) dispatch.Store { return openURL(t, server.Database(t)) })
	})
	t.Run("nodes", func(t *testing.T) {
		dispatchtest.TestNodes(t, func(t *testing.T) dispatch.Store { return openURL(t, server.Database(t)) })
	})
	t.Run("trails", func(t *testing.T) {
		trackingtest.TestTrailStore(t, func(t *testing.T) tracking.TrailStore { return openURL(t, server.Database(t)) })
	})
}
