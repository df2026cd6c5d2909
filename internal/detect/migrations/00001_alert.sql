-- +goose Up
-- Several alerts of one rule about one host and account: what a person works at.
CREATE TABLE alert_group (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,        -- of its first alert
    org         TEXT NOT NULL,
    seq         INTEGER NOT NULL,            -- rises within the organisation, and tells nothing of others
    kind        TEXT NOT NULL,
    rule        TEXT NOT NULL,
    scope       TEXT NOT NULL,               -- host and account, folded
    suppression TEXT NOT NULL,               -- id, or empty
    title       TEXT NOT NULL,
    level       INTEGER NOT NULL,            -- 0 informational to 4 critical
    why         TEXT NOT NULL,
    host        TEXT NOT NULL,
    account     TEXT NOT NULL,
    object      TEXT NOT NULL,               -- id of the shared object, or empty
    origin      TEXT NOT NULL,               -- JSON
    count       INTEGER NOT NULL,
    first       INTEGER NOT NULL,            -- microseconds since 1970, as all times here
    last        INTEGER NOT NULL,
    made        INTEGER NOT NULL,
    state       TEXT NOT NULL,
    actor       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    changed     INTEGER NOT NULL,
    sighting    TEXT NOT NULL DEFAULT '',
    sighted     INTEGER NOT NULL DEFAULT 0,
    sighted_at  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX alert_group_joins ON alert_group (org, rule, scope, suppression, kind, last);
CREATE INDEX alert_group_seq ON alert_group (org, seq);
CREATE INDEX alert_group_state ON alert_group (org, state, level);
CREATE INDEX alert_group_made ON alert_group (org, rule, made);
CREATE INDEX alert_group_last ON alert_group (org, last, seq);
CREATE INDEX alert_group_level ON alert_group (org, level, seq);
CREATE INDEX alert_group_object ON alert_group (object, org) WHERE object <> '';

-- One finding, once. The first of a group keep their events, the others their id and time.
CREATE TABLE alert (
    id       TEXT PRIMARY KEY,
    grp      INTEGER NOT NULL REFERENCES alert_group (n) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    received INTEGER NOT NULL,
    file     TEXT NOT NULL,
    event    INTEGER NOT NULL,
    evidence TEXT NOT NULL,                  -- JSON; empty beyond the first
    events   BLOB NOT NULL,                  -- zstd; empty beyond the first
    cut      INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_of_group ON alert (grp, at);

CREATE TABLE alert_history (
    grp    INTEGER NOT NULL REFERENCES alert_group (n) ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    person TEXT NOT NULL,
    token  TEXT NOT NULL,
    what   TEXT NOT NULL,                    -- a state, or sighting
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX alert_history_group ON alert_history (grp, at);

CREATE TABLE suppression (
    id       TEXT PRIMARY KEY,
    org      TEXT NOT NULL,
    rule     TEXT NOT NULL,
    object   TEXT NOT NULL,                  -- shared object that the rule came as, or empty
    title    TEXT NOT NULL,
    scope    TEXT NOT NULL,
    value    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    actor    TEXT NOT NULL,
    person   TEXT NOT NULL,
    made     INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    ended    INTEGER NOT NULL DEFAULT 0,
    ended_by TEXT NOT NULL DEFAULT '',
    count    INTEGER NOT NULL DEFAULT 0,
    last     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX suppression_of ON suppression (org, rule, until);

-- Where sightings leave by themselves once a person confirmed the alert; no row, no sighting.
CREATE TABLE sighting_rule (
    org        TEXT NOT NULL,
    community  TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    made       INTEGER NOT NULL,
    PRIMARY KEY (org, community)
) STRICT;

-- What one person is told of, and how.
CREATE TABLE alert_notice (
    id      TEXT PRIMARY KEY,
    person  TEXT NOT NULL,
    org     TEXT NOT NULL,
    level   INTEGER NOT NULL,
    channel TEXT NOT NULL,
    target  TEXT NOT NULL,
    secret  BLOB NOT NULL,
    digest  INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    made    INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_notice_person ON alert_notice (person);

-- How far somebody has come: events judged, groups told of.
CREATE TABLE detect_cursor (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT;

-- What came in by which way.
CREATE TABLE intake_source (
    org     TEXT NOT NULL,
    name    TEXT NOT NULL,
    events  INTEGER NOT NULL DEFAULT 0,
    bytes   INTEGER NOT NULL DEFAULT 0,
    lost    INTEGER NOT NULL DEFAULT 0,      -- events that could not be judged
    refused INTEGER NOT NULL DEFAULT 0,      -- requests that were sent away
    last    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org, name)
) STRICT;

-- How far a file of a watched folder was read; it is known again by how it begins.
CREATE TABLE intake_file (
    folder TEXT NOT NULL,
    path   TEXT NOT NULL,
    start  BLOB NOT NULL,                    -- hash of its first bytes
    known  INTEGER NOT NULL,                 -- how many bytes that are
    offset INTEGER NOT NULL,
    line   INTEGER NOT NULL,
    seen   INTEGER NOT NULL,
    PRIMARY KEY (folder, path)
) STRICT;
