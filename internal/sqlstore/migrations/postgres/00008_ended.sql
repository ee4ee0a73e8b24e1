-- +goose Up

-- A change of an order under way writes no index: those have what it was
-- placed with, and what became of it once it has ended. So the new version of
-- its row may stand beside the old one, and most of a change's cost is gone.
ALTER TABLE orders SET (fillfactor = 80);
ALTER TABLE couriers SET (fillfactor = 50);

ALTER TABLE orders
    ADD COLUMN ended    TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS (CASE WHEN terminal = 1 THEN status ELSE '' END) STORED,
    ADD COLUMN ended_at BIGINT NOT NULL GENERATED ALWAYS AS (CASE WHEN terminal = 1 THEN changed_at ELSE 0 END) STORED,
    ADD COLUMN carried  TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS (CASE WHEN terminal = 1 THEN courier ELSE '' END) STORED;

DROP INDEX orders_status, orders_merchant, orders_changed, orders_courier, orders_due;

CREATE INDEX orders_merchant ON orders (merchant, placed_at, id) WHERE terminal = 0;
CREATE INDEX orders_due      ON orders (area, ready_at) WHERE terminal = 0;

CREATE INDEX orders_ended          ON orders (ended, placed_at, id) WHERE terminal = 1;
CREATE INDEX orders_ended_at       ON orders (ended, ended_at) WHERE terminal = 1;
CREATE INDEX orders_ended_merchant ON orders (merchant, ended, placed_at, id) WHERE terminal = 1;
CREATE INDEX orders_carried        ON orders (carried, placed_at, id) WHERE terminal = 1 AND carried <> '';
