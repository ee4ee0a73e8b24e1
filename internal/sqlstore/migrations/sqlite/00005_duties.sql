-- +goose Up

-- What duty couriers had from when on; at is microseconds since 1970 UTC,
-- version the courier's, whose change it was.
CREATE TABLE duties (
    courier TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    version INTEGER NOT NULL,
    duty    TEXT    NOT NULL,
    PRIMARY KEY (courier, at, version)
) STRICT, WITHOUT ROWID;
