-- What comes from other nodes.

-- +goose Up
-- Withdrawals that were obeyed: one that arrives again must not take out what was shared anew since.
CREATE TABLE peer_withdrawal (
    peer TEXT NOT NULL,    -- who handed it over: an organisation of a node, or a node, with the organisation for whom
    seq  INTEGER NOT NULL, -- its number there
    PRIMARY KEY (peer, seq)
) STRICT, WITHOUT ROWID;

-- Deliveries of a local organisation's own that came back from the home: they are not handed up again.
CREATE TABLE peer_echo (
    seq INTEGER PRIMARY KEY -- here
) STRICT;

-- What a home handed over and cannot be judged yet: a key may still come.
CREATE TABLE peer_waiting (
    n         INTEGER PRIMARY KEY,
    link      TEXT NOT NULL,
    community TEXT NOT NULL,
    seq       INTEGER NOT NULL, -- the peer's
    handed    TEXT NOT NULL,    -- as it came, but for the object
    raw       BLOB NOT NULL,    -- the object
    UNIQUE (link, community, seq)
) STRICT;

-- +goose Down
DROP TABLE peer_waiting;
DROP TABLE peer_echo;
DROP TABLE peer_withdrawal;
