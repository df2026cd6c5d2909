-- +goose Up
-- What each organisation set about what leaves it.
CREATE TABLE release_profile (
    org     TEXT PRIMARY KEY,
    version INTEGER NOT NULL,   -- one more with each change
    changed INTEGER NOT NULL,   -- microseconds since 1970
    doc     TEXT NOT NULL       -- the profile as JSON
) STRICT;

-- Which versions of objects a person sent although a value in them stopped, and why. Their own organisation reads it.
CREATE TABLE release_override (
    community TEXT NOT NULL,
    object    TEXT NOT NULL,
    version   TEXT NOT NULL,
    org       TEXT NOT NULL,
    at        INTEGER NOT NULL, -- microseconds since 1970
    person    TEXT NOT NULL,
    rules     TEXT NOT NULL,    -- with commas between
    reason    TEXT NOT NULL,
    PRIMARY KEY (community, object, version, org)
) STRICT, WITHOUT ROWID;
