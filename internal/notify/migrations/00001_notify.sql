-- +goose Up
CREATE TABLE outbox (
    key     TEXT PRIMARY KEY,            -- the caller's; kept after delivery, so that the same is not sent again
    person  TEXT NOT NULL,
    channel TEXT NOT NULL,
    about   TEXT NOT NULL,               -- what it tells of, so that it can be taken back
    rhythm  INTEGER NOT NULL,            -- 0 at once, 1 hourly, 2 daily
    subject TEXT NOT NULL,
    body    TEXT NOT NULL,
    link    TEXT NOT NULL,
    made    INTEGER NOT NULL,            -- microseconds since 1970, as all times here
    due     INTEGER NOT NULL,
    state   INTEGER NOT NULL DEFAULT 0,  -- 0 waiting, 1 sent, 2 dead, 3 dropped
    tries   INTEGER NOT NULL DEFAULT 0,
    leased  INTEGER NOT NULL DEFAULT 0,
    ended   INTEGER NOT NULL DEFAULT 0,  -- when it was sent, given up or dropped
    batch   TEXT NOT NULL DEFAULT '',    -- what was sent as one has one value
    fault   TEXT NOT NULL DEFAULT ''     -- why it was given up
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (due, person, channel) WHERE state = 0;
CREATE INDEX outbox_person ON outbox (person, channel, state, ended);
CREATE INDEX outbox_about ON outbox (about) WHERE about <> '';
CREATE INDEX outbox_ended ON outbox (ended) WHERE state <> 0;
