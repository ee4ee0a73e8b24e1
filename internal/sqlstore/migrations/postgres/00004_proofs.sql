-- +goose Up

-- Pictures that couriers took, apart from the orders: those are read often
-- and by many at once. at is microseconds since 1970 UTC.
CREATE TABLE proofs (
    order_id TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL CHECK (id <> ''),
    courier  TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    type     TEXT COLLATE "C" NOT NULL, -- of media
    size     BIGINT  NOT NULL, -- bytes
    at       BIGINT  NOT NULL,
    hash     BYTEA   NOT NULL,
    data     BYTEA   NOT NULL,
    PRIMARY KEY (order_id, id)
);

-- They are compressed already.
ALTER TABLE proofs ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE INDEX proofs_at ON proofs (at);
