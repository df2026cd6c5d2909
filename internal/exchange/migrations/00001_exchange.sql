-- +goose Up
CREATE TABLE taxii_status (
    id      TEXT PRIMARY KEY,
    org     TEXT NOT NULL,
    created INTEGER NOT NULL,   -- microseconds since 1970
    status  TEXT NOT NULL       -- the TAXII status resource
) STRICT;
CREATE INDEX taxii_status_created ON taxii_status (created);
