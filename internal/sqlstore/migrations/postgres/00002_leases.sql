-- +goose Up

-- Times in these are microseconds since 1970 UTC, by the database's clock.

-- Which node dispatches an area. Rows stay, so that tokens only grow.
CREATE TABLE leases (
    area       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    node       TEXT COLLATE "C" NOT NULL,
    run        TEXT COLLATE "C" NOT NULL, -- of the node: a newer one sorts after an older one
    token      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Makes the token part of a key: a transaction that compares it locks the
-- key, which keeps others from taking the area over, not from renewing.
CREATE UNIQUE INDEX leases_token ON leases (area, token);

-- Which nodes live.
CREATE TABLE nodes (
    node       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX nodes_expiry ON nodes (expires_at);
