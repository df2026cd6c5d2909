-- +goose Up
-- Rises with every change below, so that another process sees one.
CREATE TABLE keys_state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO keys_state (id, version) VALUES (1, 1);

-- What the owners of keys said of them, oldest first. An owner is an organisation or a node.
CREATE TABLE keys_statement (
    owner TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    body  TEXT    NOT NULL, -- canonical JSON
    at    INTEGER NOT NULL, -- the last number of this node's log when it came
    seen  INTEGER NOT NULL, -- when that was, in microseconds since 1970
    PRIMARY KEY (owner, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_statement_seen ON keys_statement (seen);

-- The same, by the numbers of the log of another node that is the home of communities here.
CREATE TABLE keys_at (
    home  TEXT    NOT NULL,
    owner TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    seen  INTEGER NOT NULL,
    PRIMARY KEY (home, owner, n)
) STRICT, WITHOUT ROWID;

-- A key is one owner's (S16).
CREATE TABLE keys_key (
    key   TEXT PRIMARY KEY, -- its id
    owner TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Private keys of this node and its organisations: one that signs (the last), and those that open what was sealed to them.
CREATE TABLE keys_own (
    owner TEXT NOT NULL,
    use   TEXT NOT NULL CHECK (use IN ('sign', 'seal')),
    key   TEXT NOT NULL, -- its id
    seed  BLOB NOT NULL,
    PRIMARY KEY (owner, use, key)
) STRICT, WITHOUT ROWID;

-- Who first signed an id in a community is the only one who signs later versions.
CREATE TABLE keys_bound (
    community TEXT NOT NULL,
    id        TEXT NOT NULL,
    signer    TEXT NOT NULL,
    PRIMARY KEY (community, id)
) STRICT, WITHOUT ROWID;

-- Who ever signed in a community: whoever reads there needs their statements, also when they have left.
CREATE TABLE keys_signer (
    community TEXT NOT NULL,
    signer    TEXT NOT NULL,
    PRIMARY KEY (community, signer)
) STRICT, WITHOUT ROWID;

-- Statements that contradict known ones: two stories about one owner, kept as evidence.
CREATE TABLE keys_dispute (
    hash   TEXT    PRIMARY KEY, -- of the statement
    owner  TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    body   TEXT    NOT NULL,
    source TEXT    NOT NULL, -- the node that told it
    seen   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
