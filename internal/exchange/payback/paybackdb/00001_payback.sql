-- +goose Up
-- How far the reader has come, in the log and in the changes of custody, of which log, and in which form it writes.
CREATE TABLE state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    lineage TEXT NOT NULL,
    form    INTEGER NOT NULL,
    cursor  INTEGER NOT NULL,
    custody INTEGER NOT NULL
) STRICT;

-- One row a live delivery of an object that somebody gave: knowledge and questions.
CREATE TABLE given (
    seq       INTEGER PRIMARY KEY,
    scope     INTEGER NOT NULL,
    community TEXT NOT NULL,
    line      INTEGER NOT NULL,
    id        TEXT NOT NULL,
    type      TEXT NOT NULL,
    version   TEXT NOT NULL,
    custodian TEXT NOT NULL,
    speaker   TEXT NOT NULL,    -- tells contributors apart; never shown
    open      TEXT NOT NULL,    -- the contributor as everybody reads it: an organisation or a pseudonym; '' is "a member"
    wide      INTEGER NOT NULL, -- it addresses the whole community
    revoked   INTEGER NOT NULL,
    until     INTEGER NOT NULL, -- 0 for never
    observed  INTEGER NOT NULL, -- first sight, as the object says
    context   INTEGER NOT NULL  -- bits
) STRICT;
CREATE INDEX given_custodian ON given (custodian, community, line);
CREATE INDEX given_open ON given (open, community, line) WHERE open <> '';
CREATE INDEX given_id ON given (id);
CREATE INDEX given_line ON given (community, line);
CREATE INDEX given_wide ON given (community, seq) WHERE wide = 1;

-- One row for each object about which a live delivery of a sighting, opinion or note says something.
CREATE TABLE said (
    about     TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    scope     INTEGER NOT NULL,
    community TEXT NOT NULL,
    line      INTEGER NOT NULL,
    version   TEXT NOT NULL,
    stance    TEXT NOT NULL,    -- 'retracted' where this version takes back what earlier ones said
    count     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    speaker   TEXT NOT NULL,
    open      TEXT NOT NULL,
    wide      INTEGER NOT NULL,
    PRIMARY KEY (about, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX said_seq ON said (seq);
CREATE INDEX said_line ON said (community, line);
CREATE INDEX said_wide ON said (community, seq) WHERE wide = 1;

-- One row a withdrawal.
CREATE TABLE taken (
    seq       INTEGER PRIMARY KEY,
    scope     INTEGER NOT NULL,
    community TEXT NOT NULL,
    line      INTEGER NOT NULL,
    wide      INTEGER NOT NULL
) STRICT;
CREATE INDEX taken_wide ON taken (community, seq) WHERE wide = 1;
