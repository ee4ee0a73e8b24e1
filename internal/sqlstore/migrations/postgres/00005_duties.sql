-- +goose Up

-- What duty couriers had from when on; at is microseconds since 1970 UTC,
-- version the courier's, whose change it was.
CREATE TABLE duties (
    courier TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    version BIGINT NOT NULL,
    duty    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (courier, at, version)
);
