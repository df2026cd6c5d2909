-- +goose Up
CREATE TABLE advisory_draft (
    id      TEXT PRIMARY KEY,
    org     TEXT NOT NULL,      -- only its people see the draft
    changed INTEGER NOT NULL,   -- microseconds since 1970
    doc     TEXT NOT NULL       -- the draft as JSON
) STRICT;
CREATE INDEX advisory_draft_org ON advisory_draft (org, changed);

-- Which files an organisation attached to a report. A report that only claims a file gives nobody its bytes.
CREATE TABLE advisory_attachment (
    community TEXT NOT NULL,
    object    TEXT NOT NULL,    -- id of the report
    org       TEXT NOT NULL,    -- who shared it with the file
    hash      TEXT NOT NULL,    -- SHA-256 of the file
    PRIMARY KEY (community, object, org, hash)
) STRICT, WITHOUT ROWID;
