-- +goose Up

-- Which node dispatches an area. Rows stay, so that tokens only grow.
CREATE TABLE leases (
    area       TEXT NOT NULL PRIMARY KEY,
    holder     TEXT NOT NULL,
    token      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL -- microseconds since 1970 UTC, by the database's clock
) STRICT;
