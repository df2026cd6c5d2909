-- +goose Up
CREATE TABLE notification_rule (
    id      TEXT PRIMARY KEY,
    person  TEXT NOT NULL,
    org     TEXT NOT NULL,
    kind    TEXT NOT NULL,      -- everything, sector, keyword or asset
    value   TEXT NOT NULL,
    channel TEXT NOT NULL,      -- mail or webhook
    target  TEXT NOT NULL,      -- the webhook's address
    secret  BLOB NOT NULL,      -- the webhook's, for its signature
    digest  INTEGER NOT NULL,   -- 0 at once, 1 hourly, 2 daily
    enabled INTEGER NOT NULL,
    created INTEGER NOT NULL    -- microseconds since 1970
) STRICT;
CREATE INDEX notification_rule_person ON notification_rule (person);

-- How far the journal was looked through for notifications; one row.
CREATE TABLE notification_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;

-- How long a community keeps what is shared in it.
CREATE TABLE retention (
    community TEXT PRIMARY KEY,
    days      INTEGER NOT NULL,
    done      INTEGER NOT NULL  -- everything up to this number was looked at
) STRICT;
