-- Plain TAXII 2.1 servers with which communities exchange. Times are microseconds since 1970; 0 means never.

-- +goose Up
CREATE TABLE peers_taxii (
    id         TEXT PRIMARY KEY,
    community  TEXT NOT NULL,
    org        TEXT NOT NULL, -- shares what comes, and passes on what goes
    token      TEXT NOT NULL, -- by which it acts; nobody has its secret
    url        TEXT NOT NULL, -- of an API root, or of discovery
    collection TEXT NOT NULL,
    user       TEXT NOT NULL, -- '' with a secret: that is a token
    secret     TEXT NOT NULL,
    pulls      INTEGER NOT NULL,
    pushes     INTEGER NOT NULL,
    amber      INTEGER NOT NULL, -- own objects marked TLP:AMBER go too
    unmarked   TEXT NOT NULL,    -- the level of what comes without one; '' refuses it
    paused     INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    cursor     TEXT NOT NULL,    -- of the server
    pushed     INTEGER NOT NULL, -- our number
    contact    INTEGER NOT NULL,
    detail     TEXT NOT NULL     -- what went wrong last, or ''
) STRICT, WITHOUT ROWID;

-- What came from a server, and what it was given: neither goes round.
CREATE TABLE peers_taxii_object (
    server TEXT NOT NULL REFERENCES peers_taxii (id),
    digest BLOB NOT NULL,
    came   INTEGER NOT NULL, -- 1: from the server
    PRIMARY KEY (server, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE peers_taxii_failure (
    n      INTEGER PRIMARY KEY,
    server TEXT NOT NULL REFERENCES peers_taxii (id),
    object TEXT NOT NULL,
    reason TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX peers_taxii_failure_server ON peers_taxii_failure (server, n);

-- +goose Down
DROP TABLE peers_taxii_failure;
DROP TABLE peers_taxii_object;
DROP TABLE peers_taxii;
