-- +goose Up

-- Times in these are microseconds since 1970 UTC, by the database's clock.

-- Which node dispatches an area. Rows stay, so that tokens only grow.
CREATE TABLE leases (
    area       TEXT NOT NULL PRIMARY KEY,
    node       TEXT NOT NULL,
    run        TEXT NOT NULL, -- of the node: a newer one sorts after an older one
    token      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Which nodes live.
CREATE TABLE nodes (
    node       TEXT NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX nodes_expiry ON nodes (expires_at);
