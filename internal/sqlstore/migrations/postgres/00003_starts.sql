-- +goose Up

-- When the next shift of a courier begins at a place that is known;
-- microseconds since 1970 UTC, or no such.
ALTER TABLE couriers ADD COLUMN starts_at BIGINT;

CREATE INDEX couriers_starts ON couriers (starts_at, id) WHERE duty = 'off';
