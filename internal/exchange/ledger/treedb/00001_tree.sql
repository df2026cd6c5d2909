-- +goose Up
-- One row a Merkle tree: this node's own log, and those of others as they were fetched.
CREATE TABLE tree (
    id      INTEGER PRIMARY KEY,
    origin  TEXT NOT NULL UNIQUE,
    size    INTEGER NOT NULL,   -- leaves held
    checked INTEGER NOT NULL,   -- leaves that a checkpoint confirmed
    cursor  INTEGER NOT NULL    -- of the own log: the last delivery in it
) STRICT;

-- The hashes of a tree in the order in which they become final, 256 a row. The id is that of the tree, times 2^32, and
-- the number of the row.
CREATE TABLE chunk (
    id     INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL
) STRICT;

-- Where the deliveries of this node stand in its own log.
CREATE TABLE leaf (
    seq INTEGER PRIMARY KEY,
    n   INTEGER NOT NULL
) STRICT;
