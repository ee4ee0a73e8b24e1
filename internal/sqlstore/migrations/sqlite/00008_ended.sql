-- +goose Up

-- A change of an order under way writes no index: those have what it was
-- placed with, and what became of it once it has ended.
ALTER TABLE orders ADD COLUMN ended    TEXT    NOT NULL GENERATED ALWAYS AS (CASE WHEN terminal = 1 THEN status ELSE '' END) VIRTUAL;
ALTER TABLE orders ADD COLUMN ended_at INTEGER NOT NULL GENERATED ALWAYS AS (CASE WHEN terminal = 1 THEN changed_at ELSE 0 END) VIRTUAL;
ALTER TABLE orders ADD COLUMN carried  TEXT    NOT NULL GENERATED ALWAYS AS (CASE WHEN terminal = 1 THEN courier ELSE '' END) VIRTUAL;

DROP INDEX orders_status;
DROP INDEX orders_merchant;
DROP INDEX orders_changed;
DROP INDEX orders_courier;
DROP INDEX orders_due;

CREATE INDEX orders_merchant ON orders (merchant, placed_at, id) WHERE terminal = 0;
CREATE INDEX orders_due      ON orders (area, ready_at) WHERE terminal = 0;

CREATE INDEX orders_ended          ON orders (ended, placed_at, id) WHERE terminal = 1;
CREATE INDEX orders_ended_at       ON orders (ended, ended_at) WHERE terminal = 1;
CREATE INDEX orders_ended_merchant ON orders (merchant, ended, placed_at, id) WHERE terminal = 1;
CREATE INDEX orders_carried        ON orders (carried, placed_at, id) WHERE terminal = 1 AND carried <> '';
