-- +goose Up
-- Who got custody of a line after it began, in the order in which it happened; rows are only added. Readers that keep what
-- can be rebuilt follow it with a cursor of their own.
CREATE TABLE custody (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    community TEXT NOT NULL,
    line      INTEGER NOT NULL,
    custodian TEXT NOT NULL
) STRICT;
