-- +goose Up

-- Times are microseconds since 1970 UTC; doc columns are JSON. What is
-- queried has a column of its own, the rest of a thing is in its doc.

CREATE TABLE orders (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    merchant   TEXT    NOT NULL,
    reference  TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    terminal   INTEGER NOT NULL, -- 0 or 1; failed with the goods on board is 0
    courier    TEXT    NOT NULL,
    area       TEXT    NOT NULL, -- H3 cell of the pickup; empty: none
    version    INTEGER NOT NULL CHECK (version > 0),
    placed_at  INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    doc        TEXT    NOT NULL
) STRICT;

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
    order_id   TEXT    NOT NULL REFERENCES orders (id),
    version    INTEGER NOT NULL,
    type       TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    actor_role TEXT    NOT NULL,
    actor_id   TEXT    NOT NULL,
    data       TEXT    NOT NULL, -- JSON, or empty
    PRIMARY KEY (order_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE couriers (
    id       TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    duty     TEXT    NOT NULL,
    capacity INTEGER NOT NULL,
    load     INTEGER NOT NULL CHECK (load >= 0),
    epoch    INTEGER NOT NULL,
    version  INTEGER NOT NULL CHECK (version > 0),
    doc      TEXT    NOT NULL,
    CONSTRAINT couriers_load CHECK (load <= capacity)
) STRICT;

CREATE INDEX couriers_duty ON couriers (duty, id);

-- Who has an order in the plan now. The primary key is what keeps a second
-- courier from having it too, whatever the code above does.
CREATE TABLE assignments (
    order_id   TEXT NOT NULL PRIMARY KEY,
    courier_id TEXT NOT NULL REFERENCES couriers (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX assignments_courier ON assignments (courier_id, order_id);

CREATE TABLE offers (
    id       TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    courier  TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    deadline INTEGER NOT NULL,
    doc      TEXT    NOT NULL
) STRICT;

CREATE INDEX offers_open ON offers (deadline, id) WHERE state = 'open';

CREATE TABLE zones (
    id      TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    version INTEGER NOT NULL CHECK (version > 0),
    doc     TEXT    NOT NULL
) STRICT;

CREATE TABLE decisions (
    order_id TEXT    NOT NULL,
    seq      INTEGER NOT NULL, -- counts up for each order
    at       INTEGER NOT NULL,
    doc      TEXT    NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT;

CREATE INDEX decisions_at ON decisions (at);

CREATE TABLE answers (
    scope TEXT    NOT NULL,
    key   TEXT    NOT NULL,
    hash  BLOB    NOT NULL,
    body  BLOB    NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE INDEX answers_at ON answers (at);

-- AUTOINCREMENT, so that the id of a published row never comes back.
CREATE TABLE outbox (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    message_id TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    node       TEXT    NOT NULL -- who publishes it: who wrote it, while that lives
) STRICT;

CREATE INDEX outbox_node ON outbox (node);

CREATE TABLE api_keys (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    merchant   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE links (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    order_id   TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE UNIQUE INDEX links_hash ON links (hash);
CREATE INDEX links_order ON links (order_id, id);

CREATE TABLE codes (
    hash       BLOB    NOT NULL PRIMARY KEY,
    courier    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE trails (
    id      INTEGER NOT NULL PRIMARY KEY,
    courier TEXT    NOT NULL,
    from_at INTEGER NOT NULL,
    to_at   INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    data    BLOB    NOT NULL
) STRICT;

-- Ends first: a query starts at its own beginning and reads on to now,
-- and the other bound is checked without touching the rows.
CREATE INDEX trails_courier ON trails (courier, to_at, from_at);
