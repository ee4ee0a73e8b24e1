package sqlstore

import (
	"sync"

	"courier/internal/auth"
)

// keyring remembers the API keys that were asked for by their hash, so that a
// merchant's request need not ask for its key each time. Only where nobody
// else can write them: a SQLite file has one process.
type keyring struct {
	mu     sync.RWMutex
	saves  uint64 // what was read before the last may be old
	byHash map[string]auth.Key
}

// ringSize bounds the keyring to some megabytes.
const ringSize = 1 << 14

// get also tells how many saves there have been, for put.
func (r *keyring) get(hash []byte) (k auth.Key, there bool, saves uint64) {
	if r == nil {
		return k, false, 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, there = r.byHash[string(hash)]
	return k, there, r.saves
}

// put takes what was read since get, unless a key was saved meanwhile.
func (r *keyring) put(k auth.Key, saves uint64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if saves != r.saves {
		return
	}
	if r.byHash == nil || len(r.byHash) == ringSize {
		r.byHash = map[string]auth.Key{}
	}
	r.byHash[string(k.Hash)] = k
}

// saved forgets all, before anybody is told that a key was saved.
func (r *keyring) saved() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saves++
	r.byHash = nil
}
