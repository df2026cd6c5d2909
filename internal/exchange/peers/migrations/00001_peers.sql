-- Links to other nodes. Times are microseconds since 1970; 0 means never.

-- +goose Up
CREATE TABLE peers_state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL -- rises with every change that a running node has to take up
) STRICT;
INSERT INTO peers_state (id, version) VALUES (1, 0);

CREATE TABLE peers_link (
    id         TEXT PRIMARY KEY,
    serves     INTEGER NOT NULL, -- 1: this node is the home, the peer dials
    peer       TEXT NOT NULL,    -- id of the other node
    key        BLOB NOT NULL,    -- its key when the link was made
    name       TEXT NOT NULL,    -- of the other node, as it calls itself
    url        TEXT NOT NULL,    -- where it is dialled; '' where this node serves
    org        TEXT NOT NULL,
    token      TEXT NOT NULL,    -- of the home: by which the peer's organisation acts
    confirmed  INTEGER NOT NULL, -- a person here compared the fingerprint
    paused     INTEGER NOT NULL, -- by a person here
    stopped    TEXT NOT NULL,    -- why it stands still until a person resumes it
    ended      INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    rate       INTEGER NOT NULL, -- deliveries a second; 0: the default
    bytes      INTEGER NOT NULL, -- bytes a day; 0: the default
    -- where this node serves
    epoch      INTEGER NOT NULL, -- rises when what may flow changes
    rights     TEXT NOT NULL,    -- the memberships at the last look, to notice a change
    acked      INTEGER NOT NULL, -- what the peer said it has stored
    -- where this node dials
    generation TEXT NOT NULL,
    cursor     INTEGER NOT NULL, -- the home's number
    pushed     INTEGER NOT NULL, -- our number
    trusted    INTEGER NOT NULL, -- the peer says that our fingerprint was compared there
    offered    INTEGER NOT NULL, -- our number up to which a restored home was offered back; -1: nothing to offer
    -- how it goes
    state      TEXT NOT NULL,
    detail     TEXT NOT NULL,
    contact    INTEGER NOT NULL,
    behind     INTEGER NOT NULL, -- deliveries that wait
    lag        INTEGER NOT NULL  -- how long the oldest of them has waited
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX peers_link_pair ON peers_link (peer, org, serves) WHERE ended = 0;

CREATE TABLE peers_community (
    link      TEXT NOT NULL REFERENCES peers_link (id),
    community TEXT NOT NULL,
    alias     TEXT NOT NULL, -- here
    role      TEXT NOT NULL, -- of the organisation there, as last known
    PRIMARY KEY (link, community)
) STRICT, WITHOUT ROWID;

CREATE TABLE peers_invitation (
    id        TEXT PRIMARY KEY,
    hash      BLOB NOT NULL UNIQUE,
    community TEXT NOT NULL,
    org       TEXT NOT NULL, -- the only organisation that may use it; '' for any
    role      TEXT NOT NULL,
    expires   INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    used      INTEGER NOT NULL,
    link      TEXT NOT NULL, -- that was made with it
    revoked   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far the home has taken a member's log, under the present generation.
CREATE TABLE peers_taken (
    link    TEXT NOT NULL REFERENCES peers_link (id),
    lineage TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (link, lineage)
) STRICT, WITHOUT ROWID;

-- Which number of our own log belongs to which of the home's, about once a minute.
CREATE TABLE peers_mark (
    link   TEXT NOT NULL REFERENCES peers_link (id),
    theirs INTEGER NOT NULL,
    ours   INTEGER NOT NULL,
    PRIMARY KEY (link, theirs)
) STRICT, WITHOUT ROWID;

CREATE TABLE peers_usage (
    link  TEXT NOT NULL REFERENCES peers_link (id),
    day   INTEGER NOT NULL, -- since 1970
    bytes INTEGER NOT NULL,
    PRIMARY KEY (link, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE peers_quarantine (
    n         INTEGER PRIMARY KEY,
    link      TEXT NOT NULL REFERENCES peers_link (id),
    ours      INTEGER NOT NULL, -- 1: this node sent it, and the home did not take it
    seq       INTEGER NOT NULL, -- the sender's
    community TEXT NOT NULL,
    object    TEXT NOT NULL,
    reason    TEXT NOT NULL,
    raw       BLOB,             -- NULL where it is ours, or was too large to keep
    at        INTEGER NOT NULL,
    UNIQUE (link, ours, community, seq)
) STRICT;

-- +goose Down
DROP TABLE peers_quarantine;
DROP TABLE peers_usage;
DROP TABLE peers_mark;
DROP TABLE peers_taken;
DROP TABLE peers_invitation;
DROP TABLE peers_community;
DROP TABLE peers_link;
DROP TABLE peers_state;
