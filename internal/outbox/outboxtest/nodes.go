package outboxtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"courier/dispatch"
)

// OpenNode opens an empty database for a first node, and the same database
// for the others. Each closes with the test.
type OpenNode = func(t *testing.T) (node func(name string) Store)

// TestNodes is what holds where several nodes share a database.
func TestNodes(t *testing.T, open OpenNode) {
	for name, test := range map[string]func(t *testing.T, a, b, c Store){
		"publish what they wrote":                     ownRows,
		"adopt what the dead left":                    adoptDead,
		"leave what the living wrote":                 leaveLiving,
		"adopt each row once, whoever is there first": adoptOnce,
		"mark what is theirs alone":                   ownMarks,
	} {
		t.Run(name, func(t *testing.T) {
			node := open(t)
			test(t, node("a"), node("b"), node("c"))
		})
	}
}

// TestMoved is what holds where a database of one node goes on under another
// name: reopen closes and opens it.
func TestMoved(t *testing.T, open func(t *testing.T) (s Store, reopen func(name string) Store)) {
	s, reopen := open(t)
	live(t, s, 50*time.Millisecond)
	write(t, s, "o1", 3)
	s = reopen("another host")
	for until := time.Now().Add(10 * time.Second); len(pending(t, s, 10)) == 0; time.Sleep(5 * time.Millisecond) {
		if _, err := s.Adopt(t.Context()); err != nil || time.Now().After(until) {
			t.Fatalf("the rows are lost (%v)", err)
		}
	}
	if rows := pending(t, s, 10); len(rows) != 3 || rows[0].Version != 1 || rows[2].Version != 3 {
		t.Errorf("rows are %v", rows)
	}
}

func live(t *testing.T, s Store, ttl time.Duration) {
	t.Helper()
	if err := s.Live(t.Context(), ttl); err != nil {
		t.Fatal(err)
	}
}

func adopt(t *testing.T, s Store, want int) {
	t.Helper()
	if n, err := s.Adopt(t.Context()); err != nil || n != want {
		t.Errorf("%d rows adopted (%v), want %d", n, err, want)
	}
}

func write(t *testing.T, s Store, order string, events int) {
	t.Helper()
	update(t, s, func(tx dispatch.Tx) error { return step(tx, order, events) })
}

func wantRows(t *testing.T, s Store, want ...string) {
	t.Helper()
	var got []string
	for _, row := range pending(t, s, 1000) {
		got = append(got, row.Message.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows are %v, want %v", got, want)
	}
}

func ownRows(t *testing.T, a, b, c Store) {
	write(t, a, "o1", 1)
	write(t, b, "o1", 2)
	write(t, a, "o1", 1)
	write(t, b, "o2", 1)
	wantRows(t, a, "o1:1", "o1:4")
	wantRows(t, b, "o1:2", "o1:3", "o2:1")
	wantRows(t, c)
}

func adoptDead(t *testing.T, a, b, c Store) {
	live(t, a, time.Hour)
	live(t, b, time.Hour)
	write(t, a, "o1", 1)
	write(t, b, "o1", 2)
	write(t, c, "o1", 2) // never said that it lives
	write(t, a, "o1", 1)
	live(t, b, 0)
	adopt(t, a, 4)
	wantRows(t, a, "o1:1", "o1:2", "o1:3", "o1:4", "o1:5", "o1:6")
	wantRows(t, b)
	wantRows(t, c)
	write(t, c, "o2", 1) // it only slept
	wantRows(t, c, "o2:1")
}

func leaveLiving(t *testing.T, a, b, _ Store) {
	live(t, a, time.Hour)
	live(t, b, time.Hour)
	write(t, b, "o1", 2)
	adopt(t, a, 0)
	live(t, b, 50*time.Millisecond)
	for until := time.Now().Add(10 * time.Second); len(pending(t, a, 10)) == 0; time.Sleep(5 * time.Millisecond) {
		if _, err := a.Adopt(t.Context()); err != nil || time.Now().After(until) {
			t.Fatalf("it lives for ever (%v)", err)
		}
	}
	wantRows(t, a, "o1:1", "o1:2")
}

func adoptOnce(t *testing.T, a, b, c Store) {
	const rows = 300
	for i := range rows {
		write(t, c, fmt.Sprintf("o%03d", i), 1)
	}
	live(t, a, time.Hour)
	live(t, b, time.Hour)
	var adopted [2]int
	var both sync.WaitGroup
	for i, s := range []Store{a, b} {
		both.Go(func() {
			for range 3 {
				n, err := s.Adopt(context.Background())
				if err != nil {
					t.Error(err)
				}
				adopted[i] += n
			}
		})
	}
	both.Wait()
	if adopted[0]+adopted[1] != rows {
		t.Errorf("%v rows adopted, want %d", adopted, rows)
	}
	seen := map[string]bool{}
	for i, s := range []Store{a, b} {
		got := pending(t, s, 1000)
		if len(got) != adopted[i] {
			t.Errorf("%d rows, %d adopted", len(got), adopted[i])
		}
		for _, row := range got {
			if seen[row.Message.ID] {
				t.Errorf("%s is two nodes'", row.Message.ID)
			}
			seen[row.Message.ID] = true
		}
	}
}

func ownMarks(t *testing.T, a, b, c Store) {
	live(t, a, time.Hour)
	live(t, c, time.Hour)
	write(t, a, "o1", 1)
	write(t, c, "o2", 1)
	write(t, b, "o3", 2)
	rows := pending(t, b, 10)
	adopt(t, a, 2)
	done(t, b, rows...) // what it published while another took it over
	done(t, b, pending(t, c, 10)...)
	wantRows(t, c, "o2:1")
	done(t, a, pending(t, a, 10)...)
	wantRows(t, a)
	wantRows(t, c, "o2:1")
}
