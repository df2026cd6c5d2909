-- +goose Up
CREATE TABLE job (
    key     TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    due     INTEGER NOT NULL,            -- microseconds since 1970
    payload BLOB NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,  -- that were begun
    leased  INTEGER NOT NULL DEFAULT 0,  -- somebody is at it until then; 0 for nobody
    turn    INTEGER NOT NULL DEFAULT 0,  -- rises whenever the row is scheduled or taken, so that an old holder finishes nothing
    dead    INTEGER NOT NULL DEFAULT 0,  -- 1 after the last try
    fault   TEXT NOT NULL DEFAULT ''     -- why the last try failed
) STRICT, WITHOUT ROWID;

CREATE INDEX job_due ON job (kind, due) WHERE dead = 0;
