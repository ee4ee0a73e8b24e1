-- +goose Up

-- Pictures that couriers took, apart from the orders: those are read often
-- and by many at once. at is microseconds since 1970 UTC.
CREATE TABLE proofs (
    order_id TEXT    NOT NULL,
    id       TEXT    NOT NULL CHECK (id <> ''),
    courier  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    type     TEXT    NOT NULL, -- of media
    size     INTEGER NOT NULL, -- bytes
    at       INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    data     BLOB    NOT NULL,
    PRIMARY KEY (order_id, id)
) STRICT;

CREATE INDEX proofs_at ON proofs (at);
