-- +goose Up

-- The span that a row was written in, as in the W3C header traceparent; NULL
-- where nothing is followed.
ALTER TABLE outbox ADD COLUMN trace_parent TEXT;
