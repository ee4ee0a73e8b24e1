package redis

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogTo sends what go-redis itself says, such as each failed dial, to log at
// level Debug instead of to standard error. It holds for the whole process:
// main calls it once, before Open. What matters is logged to Config.Log.
func LogTo(log *slog.Logger) { redis.SetLogger(driverLog{log}) }

type driverLog struct{ log *slog.Logger }

func (d driverLog) Printf(ctx context.Context, format string, v ...any) {
	if d.log.Enabled(ctx, slog.LevelDebug) {
		d.log.LogAttrs(ctx, slog.LevelDebug, "go-redis", slog.String("text", fmt.Sprintf(format, v...)))
	}
}
