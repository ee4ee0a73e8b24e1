-- +goose Up

-- Which node dispatches an area. Rows stay, so that tokens only grow.
CREATE TABLE leases (
    area       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder     TEXT COLLATE "C" NOT NULL,
    token      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL -- microseconds since 1970 UTC, by the database's clock
);
