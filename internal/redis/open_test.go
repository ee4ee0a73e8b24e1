package redis

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"courier/internal/testenv"
)

func TestOpenReportsEveryFault(t *testing.T) {
	_, err := Open(t.Context(), Config{URLs: []string{"http://u:secret@x", "redis://:secret2@host:bad port"}, Prefix: "{x}", Retention: 1, Timeout: -1})
	if err == nil {
		t.Fatal("opened")
	}
	for _, want := range []string{"URL 1", "URL 2", "Prefix", "Retention"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells the password: %v", err)
	}
	if _, err := Open(t.Context(), Config{}); err == nil {
		t.Error("opened without a URL")
	}
}

func TestOpenWaitsForTheServer(t *testing.T) {
	server := testenv.StartRedis(t)
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, Config{URLs: []string{server.URL()}}); err == nil {
		t.Fatal("opened without a server")
	}
	opened := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		db, err := Open(ctx, Config{URLs: []string{server.URL()}})
		if err == nil {
			err = errors.Join(db.Ping(ctx), db.Close())
		}
		opened <- err
	}()
	time.Sleep(100 * time.Millisecond) // some attempts fail
	server.Restart()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func TestOpenGivesUpOnAWrongPassword(t *testing.T) {
	server := testenv.StartRedis(t, "--requirepass", "right")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	begun := time.Now()
	if _, err := Open(ctx, Config{URLs: []string{"redis://:wrong@" + server.Addr}}); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
	open(t, Config{URLs: []string{"redis://:right@" + server.Addr}})
}
