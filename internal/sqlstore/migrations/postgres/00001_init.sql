-- +goose Up

-- Times are microseconds since 1970 UTC; doc columns are JSON. What is
-- queried has a column of its own, the rest of a thing is in its doc. Text
-- sorts by its bytes, as Go does, whatever the database's locale.

CREATE TABLE orders (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    merchant   TEXT COLLATE "C" NOT NULL,
    reference  TEXT COLLATE "C" NOT NULL,
    status     TEXT COLLATE "C" NOT NULL,
    terminal   SMALLINT NOT NULL, -- 0 or 1; failed with the goods on board is 0
    courier    TEXT COLLATE "C" NOT NULL,
    area       TEXT COLLATE "C" NOT NULL, -- H3 cell of the pickup; empty: none
    version    BIGINT  NOT NULL CHECK (version > 0),
    placed_at  BIGINT  NOT NULL,
    changed_at BIGINT  NOT NULL,
    doc        TEXT    NOT NULL
);

-- A list without a status asks for each status in turn, so these need no
-- twins without one: every index costs each order some microseconds.
CREATE INDEX orders_status    ON orders (status, placed_at, id);
CREATE INDEX orders_merchant  ON orders (merchant, status, placed_at, id);
CREATE INDEX orders_changed   ON orders (status, changed_at);
CREATE INDEX orders_open      ON orders (placed_at, id) WHERE terminal = 0;
CREATE INDEX orders_courier   ON orders (courier, placed_at, id) WHERE courier <> '';
-- Who dispatches an area reads its open orders by status.
CREATE INDEX orders_area      ON orders (area, status) WHERE terminal = 0;
CREATE INDEX orders_reference ON orders (reference, placed_at, id) WHERE reference <> '';

CREATE TABLE events (
    order_id   TEXT COLLATE "C" NOT NULL REFERENCES orders (id),
    version    BIGINT  NOT NULL,
    type       TEXT COLLATE "C" NOT NULL,
    status     TEXT COLLATE "C" NOT NULL,
    at         BIGINT  NOT NULL,
    actor_role TEXT COLLATE "C" NOT NULL,
    actor_id   TEXT COLLATE "C" NOT NULL,
    data       TEXT    NOT NULL, -- JSON, or empty
    PRIMARY KEY (order_id, version)
);

CREATE TABLE couriers (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    duty     TEXT COLLATE "C" NOT NULL,
    capacity BIGINT  NOT NULL,
    load     BIGINT  NOT NULL CHECK (load >= 0),
    epoch    BIGINT  NOT NULL,
    version  BIGINT  NOT NULL CHECK (version > 0),
    doc      TEXT    NOT NULL,
    CONSTRAINT couriers_load CHECK (load <= capacity)
);

CREATE INDEX couriers_duty ON couriers (duty, id);

-- Who has an order in the plan now. The primary key is what keeps a second
-- courier from having it too, whatever the code above does.
CREATE TABLE assignments (
    order_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    courier_id TEXT COLLATE "C" NOT NULL REFERENCES couriers (id)
);

CREATE INDEX assignments_courier ON assignments (courier_id, order_id);

CREATE TABLE offers (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    courier  TEXT COLLATE "C" NOT NULL,
    state    TEXT COLLATE "C" NOT NULL,
    deadline BIGINT  NOT NULL,
    doc      TEXT    NOT NULL
);

CREATE INDEX offers_open ON offers (deadline, id) WHERE state = 'open';

CREATE TABLE zones (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    version BIGINT  NOT NULL CHECK (version > 0),
    doc     TEXT    NOT NULL
);

CREATE TABLE decisions (
    order_id TEXT COLLATE "C" NOT NULL,
    seq      BIGINT  NOT NULL, -- counts up for each order
    at       BIGINT  NOT NULL,
    doc      TEXT    NOT NULL,
    PRIMARY KEY (order_id, seq)
);

CREATE INDEX decisions_at ON decisions (at);

CREATE TABLE answers (
    scope TEXT COLLATE "C" NOT NULL,
    key   TEXT COLLATE "C" NOT NULL,
    hash  BYTEA   NOT NULL,
    body  BYTEA   NOT NULL,
    at    BIGINT  NOT NULL,
    PRIMARY KEY (scope, key)
);

CREATE INDEX answers_at ON answers (at);

-- Ids are given when a row is written, not when it is committed: a lower one
-- may appear after a higher one. Rows of one key are written under the lock
-- of what the key names, so among themselves they appear in order.
CREATE TABLE outbox (
    node       TEXT COLLATE "C" NOT NULL, -- who publishes it: who wrote it, while that lives
    id         BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    message_id TEXT COLLATE "C" NOT NULL,
    topic      TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    version    BIGINT  NOT NULL,
    at         BIGINT  NOT NULL,
    body       BYTEA   NOT NULL,
    PRIMARY KEY (node, id)
);

CREATE TABLE api_keys (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    merchant   TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    hash       BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL,
    revoked_at BIGINT
);

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE links (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    order_id   TEXT COLLATE "C" NOT NULL,
    hash       BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    revoked_at BIGINT
);

CREATE UNIQUE INDEX links_hash ON links (hash);
CREATE INDEX links_order ON links (order_id, id);

CREATE TABLE codes (
    hash       BYTEA   NOT NULL PRIMARY KEY,
    courier    TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT  NOT NULL
);

CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE trails (
    id      BIGINT  NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    courier TEXT COLLATE "C" NOT NULL,
    from_at BIGINT  NOT NULL,
    to_at   BIGINT  NOT NULL,
    count   BIGINT  NOT NULL,
    data    BYTEA   NOT NULL
);

-- Ends first: a query starts at its own beginning and reads on to now,
-- and the other bound is checked without touching the rows.
CREATE INDEX trails_courier ON trails (courier, to_at, from_at);
