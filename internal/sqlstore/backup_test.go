package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"courier/internal/testenv"
)

// custom is orders that are placed, several at once, without a pause.
type custom struct {
	mu    sync.Mutex
	acked []string
	stop  chan struct{}
	done  sync.WaitGroup
}

func placeOrders(t *testing.T, s *Store) *custom {
	t.Helper()
	p := &custom{stop: make(chan struct{})}
	for worker := range 4 {
		p.done.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("o-%d-%d", worker, i)
				if _, err := s.Create(t.Context(), keyed(id, id)); err != nil {
					t.Error(err)
					return
				}
				p.mu.Lock()
				p.acked = append(p.acked, id)
				p.mu.Unlock()
				select {
				case <-p.stop:
					return
				default:
				}
			}
		})
	}
	t.Cleanup(p.end)
	for len(p.soFar()) < 200 {
		time.Sleep(time.Millisecond)
	}
	return p
}

func (p *custom) soFar() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acked[:len(p.acked):len(p.acked)]
}

func (p *custom) end() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.done.Wait()
}

// wantBackedUp wants what was acknowledged before a backup in it, each order
// with the message that nobody has sent yet, and the rest of the store at work.
func wantBackedUp(t *testing.T, before []string, copied *Store) {
	t.Helper()
	rows, err := copied.Pending(t.Context(), 1e6)
	if err != nil {
		t.Fatal(err)
	}
	waits := map[string]bool{}
	for _, r := range rows {
		waits[r.Key] = true
	}
	if len(before) < 200 {
		t.Fatalf("only %d orders were placed before", len(before))
	}
	for i, id := range before {
		if o, err := copied.Order(t.Context(), id); err != nil || o.Version != 1 {
			t.Fatalf("order %s: %+v, %v", id, o, err)
		}
		if !waits[id] {
			t.Fatalf("nobody will be told of order %s", id)
		}
		if i%20 != 0 {
			continue
		}
		if kept, err := copied.Create(t.Context(), keyed("again-"+id, id)); err != nil || kept == nil || string(kept.Body) != id {
			t.Fatalf("the key of order %s: %v, %v", id, kept, err)
		}
	}
	if _, err := copied.Create(t.Context(), keyed("new", "new")); err != nil {
		t.Error(err)
	}
}

func TestABackupHasWhatWasAcknowledgedBeforeIt(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		dir, back := t.TempDir(), t.TempDir()
		p := placeOrders(t, open(t, dir))
		before := p.soFar()
		file := filepath.Join(back, sqliteFile)
		if err := Backup(t.Context(), dir, file); err != nil {
			t.Fatal(err)
		}
		during := len(p.soFar())
		p.end()
		if during == len(before) {
			t.Error("nobody could place an order meanwhile")
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		wantBackedUp(t, before, open(t, back))
	})
	t.Run("PostgreSQL", func(t *testing.T) { // as docs/operations.md has it
		server := testenv.StartPostgres(t)
		url := server.Database(t)
		p := placeOrders(t, openURL(t, url))
		before := p.soFar()
		dump := server.Dump(t, url)
		p.end()
		wantBackedUp(t, before, openURL(t, server.Restored(t, dump)))
	})
}

func TestABackupThatCannotBeLeavesNothing(t *testing.T) {
	good := t.TempDir()
	placeOrders(t, open(t, good)).end()
	foreign := t.TempDir()
	db, err := sql.Open("sqlite3", filepath.Join(foreign, sqliteFile))
	if err == nil {
		_, err = db.Exec("CREATE TABLE t (x)")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, sqliteFile), make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	taken := filepath.Join(to, "taken")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	free := filepath.Join(to, "free")
	for name, tt := range map[string]struct {
		dir, file string
		want      error
	}{
		"a file that is there":     {good, taken, os.ErrExist},
		"no database":              {t.TempDir(), free, os.ErrNotExist},
		"another program's":        {foreign, free, ErrForeign},
		"no database but zeros":    {damaged, free, ErrCorrupt},
		"no place to put it":       {good, filepath.Join(to, "none", "b"), os.ErrNotExist},
		"the database's own place": {good, filepath.Join(good, sqliteFile), os.ErrExist},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Backup(t.Context(), tt.dir, tt.file); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
	left, err := os.ReadDir(to)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if kept, err := os.ReadFile(taken); err != nil || string(kept) != "mine" {
		t.Errorf("%q, %v", kept, err)
	}
}
