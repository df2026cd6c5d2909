-- +goose Up
-- Values that a member asked never to be blocked (X22): its own domains and addresses.
CREATE TABLE protected_value (
    org   TEXT NOT NULL,
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (org, kind, value)
) STRICT;
