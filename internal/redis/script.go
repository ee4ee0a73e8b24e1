package redis

import (
	"context"
	_ "embed"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The scripts are idempotent but for take: a call that is repeated, because
// its answer was lost, changes nothing more and answers the same.
var (
	//go:embed lua/move.lua
	moveSource string
	//go:embed lua/remove.lua
	removeSource string
	//go:embed lua/region.lua
	regionSource string
	//go:embed lua/touch.lua
	touchSource string
	//go:embed lua/take.lua
	takeSource string

	moveScript   = redis.NewScript(moveSource)
	removeScript = redis.NewScript(removeSource)
	regionScript = redis.NewScript(regionSource)
	touchScript  = redis.NewScript(touchSource)
	takeScript   = redis.NewScript(takeSource)
)

// call is one run of a script.
type call struct {
	script *redis.Script
	keys   []string // of one slot
	args   []any
	result *redis.Cmd
}

// run runs scripts in one pipeline, and those that a server does not know yet
// in a second.
func (db *DB) run(ctx context.Context, calls []*call) error {
	if len(calls) == 0 {
		return nil
	}
	pipe := db.client.Pipeline()
	for _, c := range calls {
		c.result = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each call has its own error
	pipe = db.client.Pipeline()
	for _, c := range calls {
		if err := c.result.Err(); err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			c.result = c.script.Eval(ctx, pipe, c.keys, c.args...)
		}
	}
	if pipe.Len() > 0 {
		_, _ = pipe.Exec(ctx)
	}
	var errs []error
	for _, c := range calls {
		if err := c.result.Err(); err != nil && !errors.Is(err, redis.Nil) {
			errs = append(errs, err)
		}
	}
	return first(errs)
}

// first spares the reader many times the same.
func first(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}
