package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// aCommand is how many places the second figure of bareRedis writes at once.
const aCommand = 128

// bareRedis is how many places a second a bare writer puts into Redis on one
// connection: one a command, and 128.
func (r *run) bareRedis(ctx context.Context) (one, many float64, err error) {
	options, err := redis.ParseURL(r.RedisURL)
	if err != nil {
		return 0, 0, fmt.Errorf("bare writer: %w", err)
	}
	options.PoolSize = 1
	db := redis.NewClient(options)
	defer func() { err = errors.Join(err, db.Del(ctx, "bench-floor").Err(), db.Close()) }()
	took := max(r.Measure/4, 200*time.Millisecond)
	r.Told("%s: floor, places into Redis for %s", r.scenario, 2*took)
	if one, err = geoAdd(ctx, db, took, 1); err != nil {
		return 0, 0, fmt.Errorf("bare writer: %w", err)
	}
	if many, err = geoAdd(ctx, db, took, aCommand); err != nil {
		return 0, 0, fmt.Errorf("bare writer: %w", err)
	}
	return one, many, nil
}

func geoAdd(ctx context.Context, db *redis.Client, took time.Duration, places int) (float64, error) {
	batch := make([]*redis.GeoLocation, places)
	written, began := 0, time.Now()
	for time.Since(began) < took {
		for i := range batch {
			batch[i] = &redis.GeoLocation{Name: fmt.Sprint("c", (written+i)%10_000), Longitude: 5 + rand.Float64()/10, Latitude: 52 + rand.Float64()/10}
		}
		if err := db.GeoAdd(ctx, "bench-floor", batch...).Err(); err != nil {
			return 0, err
		}
		written += places
	}
	return float64(written) / time.Since(began).Seconds(), nil
}
