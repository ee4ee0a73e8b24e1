-- +goose Up

-- When an order is ready to be fetched, microseconds since 1970 UTC: who
-- dispatches an area reads what is due, not tomorrow's orders. 0 is long ago:
-- those of before, and of nodes that do not know the column yet.
ALTER TABLE orders ADD COLUMN ready_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX orders_due ON orders (area, status, ready_at) WHERE terminal = 0;
DROP INDEX orders_area;
