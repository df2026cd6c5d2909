-- +goose Up
-- A set that members of a community may ask, privately. Its values are not here.
CREATE TABLE match_set (
    id        TEXT PRIMARY KEY,
    org       TEXT NOT NULL,
    community TEXT NOT NULL,
    name      TEXT NOT NULL,
    kind      TEXT NOT NULL,               -- of value
    source    TEXT NOT NULL,               -- file, or red: the organisation's own TLP:RED indicators
    budget    INTEGER NOT NULL,            -- elements that an organisation may send in a day
    days      INTEGER NOT NULL,            -- how long an epoch lasts
    epoch     INTEGER NOT NULL DEFAULT 0,  -- the one in force; 0: none yet
    made      INTEGER NOT NULL,            -- microseconds since 1970, as all times here that are not said to be running time
    removed   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX match_set_name ON match_set (org, community, name) WHERE removed = 0;

-- An epoch: one key and one filter. Of those that ended the secret is gone.
CREATE TABLE match_epoch (
    set_id  TEXT NOT NULL,
    epoch   INTEGER NOT NULL,
    node    TEXT NOT NULL,                 -- the node's id when it was made; outputs are bound to it
    secret  BLOB NOT NULL,
    public  BLOB NOT NULL,
    class   INTEGER NOT NULL,
    sha256  TEXT NOT NULL,                 -- of the filter
    content BLOB NOT NULL,                 -- keyed hash of what it was made of
    made    INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    ended   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (set_id, epoch)
) STRICT, WITHOUT ROWID;

-- The filter of an epoch, in pieces that are short to write.
CREATE TABLE match_filter (
    set_id TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (set_id, epoch, n)
) STRICT, WITHOUT ROWID;

-- What an organisation has used of its budget. began is running time, which nobody can set.
CREATE TABLE match_use (
    set_id  TEXT NOT NULL,
    org     TEXT NOT NULL,
    began   INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    stopped INTEGER NOT NULL,
    PRIMARY KEY (set_id, org)
) STRICT, WITHOUT ROWID;

-- What the owner sees: how much was asked on a day, by all together.
CREATE TABLE match_day (
    set_id   TEXT NOT NULL,
    day      INTEGER NOT NULL,             -- since 1970
    elements INTEGER NOT NULL,
    stopped  INTEGER NOT NULL,             -- how often an organisation used its budget up
    PRIMARY KEY (set_id, day)
) STRICT, WITHOUT ROWID;

-- How long the node has been running, in microseconds.
CREATE TABLE match_clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    running INTEGER NOT NULL
) STRICT;
INSERT INTO match_clock (id, running) VALUES (1, 0);
