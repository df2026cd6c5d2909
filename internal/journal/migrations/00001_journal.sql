-- +goose Up
CREATE TABLE lineage (
    id    TEXT PRIMARY KEY,   -- a new one after each restore
    since INTEGER NOT NULL    -- numbers above this belong to it
) STRICT;

-- An audience of a community; sight asks for these by id.
CREATE TABLE scope (
    id        INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    audience  TEXT NOT NULL,
    tail      INTEGER NOT NULL DEFAULT 0, -- no delivery of this scope has a higher number
    UNIQUE (community, audience)
) STRICT;

CREATE TABLE body (
    id   INTEGER PRIMARY KEY,
    raw  BLOB,                -- NULL once erased
    hash BLOB NOT NULL        -- SHA-256 of raw
) STRICT;

-- One row a delivery. seq to body and hash never change; custodian, last, withdrawn and widened do.
CREATE TABLE delivery (
    seq       INTEGER PRIMARY KEY,
    kind      INTEGER NOT NULL,   -- 0 object, 1 withdrawal
    community TEXT NOT NULL,
    line      INTEGER NOT NULL,
    type      TEXT NOT NULL,
    uuid      BLOB NOT NULL,
    version   TEXT NOT NULL,      -- sortable instant; '' for observables
    given     TEXT NOT NULL,      -- the version's text as it came, where it differs
    sharer    TEXT NOT NULL,      -- '' for the node
    level     INTEGER NOT NULL,
    revoked   INTEGER NOT NULL,
    nominal   INTEGER NOT NULL,   -- scope
    reached   INTEGER NOT NULL,   -- scope, 0 for nobody
    digest    BLOB NOT NULL,
    body      INTEGER NOT NULL,   -- 0 for withdrawals
    hash      BLOB NOT NULL,      -- over all above
    chain     BLOB NOT NULL,      -- over the chain so far and hash
    custodian TEXT NOT NULL,
    last      INTEGER NOT NULL,   -- scope of those for whom this is the last version, 0 for nobody
    withdrawn INTEGER NOT NULL DEFAULT 0, -- number of the withdrawal
    widened   INTEGER NOT NULL DEFAULT 0  -- the same version was delivered again
) STRICT;
CREATE INDEX delivery_reached ON delivery (reached, seq) WHERE withdrawn = 0;
CREATE INDEX delivery_last ON delivery (last, type, seq) WHERE last <> 0;
CREATE INDEX delivery_last_seq ON delivery (last, seq) WHERE last <> 0;
CREATE INDEX delivery_object ON delivery (uuid, community);
