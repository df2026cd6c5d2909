-- +goose Up
CREATE TABLE audit (
    n         INTEGER PRIMARY KEY,          -- 1, 2, 3 … without a gap
    time      INTEGER NOT NULL,             -- microseconds since 1970
    org       TEXT    NOT NULL,             -- '' is the node itself
    person    TEXT    NOT NULL,
    token     TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    community TEXT    NOT NULL,             -- '' where the action is none of a community's
    object    TEXT    NOT NULL,             -- '' where the action is about no single thing
    detail    TEXT    NOT NULL,             -- a JSON object of strings, or ''
    flags     INTEGER NOT NULL,             -- 1 blind, 2 narrow
    salt      BLOB    NOT NULL,             -- 16 random bytes, so that no hash confirms a guess
    hash      BLOB    NOT NULL              -- 32 bytes, over the row and the hash before it
) STRICT;
CREATE INDEX audit_org       ON audit (org, n);
CREATE INDEX audit_community ON audit (community, n) WHERE community <> '';
CREATE INDEX audit_node      ON audit (n) WHERE community = '' OR object = '';
CREATE INDEX audit_object    ON audit (object, n) WHERE object <> '';
