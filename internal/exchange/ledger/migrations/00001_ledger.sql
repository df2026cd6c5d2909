-- +goose Up
-- The logs that this node keeps or witnesses, each with the last checkpoint that it signed or accepted.
CREATE TABLE ledger_log (
    origin    TEXT PRIMARY KEY,
    node      TEXT NOT NULL,
    name      TEXT NOT NULL,
    own       INTEGER NOT NULL,
    begun     INTEGER NOT NULL,             -- when this node began or first saw it
    ended     INTEGER NOT NULL DEFAULT 0,   -- when another log of the same node took its place
    contact   INTEGER NOT NULL DEFAULT 0,   -- when its node last answered
    accepted  INTEGER NOT NULL DEFAULT 0,   -- when the checkpoint was signed or accepted
    size      INTEGER NOT NULL DEFAULT 0,
    root      BLOB NOT NULL DEFAULT x'',
    seq       INTEGER NOT NULL DEFAULT 0,
    note      TEXT NOT NULL DEFAULT '',
    sent      INTEGER NOT NULL DEFAULT -1,  -- size of the last checkpoint whose cosignature its node has taken
    witnesses INTEGER NOT NULL DEFAULT 0,   -- how many nodes ask for it, as its node says
    trouble   TEXT NOT NULL DEFAULT ''      -- why the last attempt to follow it failed
) STRICT;
CREATE INDEX ledger_log_node ON ledger_log (node, ended);

-- Checkpoints that were signed or accepted: the latest of each log, and the first of each day.
CREATE TABLE ledger_checkpoint (
    origin TEXT NOT NULL,
    size   INTEGER NOT NULL,
    note   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (origin, size)
) STRICT, WITHOUT ROWID;

-- The latest cosignature of each witness, this node's own among them.
CREATE TABLE ledger_cosignature (
    origin  TEXT NOT NULL,
    witness TEXT NOT NULL,
    size    INTEGER NOT NULL,
    at      INTEGER NOT NULL,  -- by the witness's clock
    note    TEXT NOT NULL,     -- the checkpoint with the log's signature and this one
    PRIMARY KEY (origin, witness)
) STRICT, WITHOUT ROWID;

-- The nodes that ask for this node's log.
CREATE TABLE ledger_witness (
    node    TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    contact INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys under which something above was verified, as a line of a signed note's key.
CREATE TABLE ledger_key (
    line  TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What other nodes handed over, with what opens their commitments to it.
CREATE TABLE ledger_received (
    node      TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    leaf      BLOB NOT NULL,
    community TEXT NOT NULL,
    kind      INTEGER NOT NULL,
    id        TEXT NOT NULL,
    version   TEXT NOT NULL,
    digest    BLOB NOT NULL,
    nonce     BLOB NOT NULL,
    origin    TEXT NOT NULL,     -- the log in which it is looked up; '' until the node has shown one
    n         INTEGER NOT NULL,  -- its leaf there; -1 waits, -2 its log ended before, -3 it is missing
    at        INTEGER NOT NULL,
    PRIMARY KEY (node, seq, leaf)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_received_waits ON ledger_received (node, seq) WHERE n = -1;
CREATE INDEX ledger_received_id ON ledger_received (id);

-- What shows that a log told two stories. Rows stay for good.
CREATE TABLE ledger_evidence (
    id     INTEGER PRIMARY KEY,
    same   TEXT NOT NULL UNIQUE, -- digest of what it says, so that it is kept once
    node   TEXT NOT NULL,
    origin TEXT NOT NULL,
    kind   TEXT NOT NULL,
    first  TEXT NOT NULL,        -- signed note
    second TEXT NOT NULL,        -- signed note that contradicts it
    detail TEXT NOT NULL,        -- JSON
    at     INTEGER NOT NULL,
    acted  INTEGER NOT NULL DEFAULT 0 -- 1: the links to the node were stopped for it
) STRICT;
