-- +goose Up
CREATE TABLE blob_ref (
    hash  BLOB NOT NULL,     -- SHA-256 of the content
    owner TEXT NOT NULL,     -- what holds it, as its capability names it
    PRIMARY KEY (hash, owner)
) STRICT, WITHOUT ROWID;

-- Contents that must go from the disk whatever their age.
CREATE TABLE blob_erased (
    hash BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
