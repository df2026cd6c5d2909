-- +goose Up
-- The lists of communities: what their homes said of pseudonyms, in order. Nothing here leads to who is behind one.
CREATE TABLE pseudonym_entry (
    community TEXT NOT NULL,
    n         INTEGER NOT NULL,
    act       TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    body      TEXT NOT NULL,               -- as it was signed
    PRIMARY KEY (community, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX pseudonym_entry_of ON pseudonym_entry (community, pseudonym);

-- At the home: who is behind each, sealed to the stewards of that time. At a steward's node: what it asked the home for.
CREATE TABLE pseudonym_box (
    community TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    box       TEXT NOT NULL,
    PRIMARY KEY (community, pseudonym)
) STRICT, WITHOUT ROWID;

-- Private keys of organisations of this node. The slot is a keyed hash of organisation and community.
CREATE TABLE pseudonym_own (
    slot      TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    community TEXT NOT NULL,
    seed      BLOB NOT NULL,
    present   INTEGER NOT NULL,            -- 1: new objects are signed with it; 0: new versions of its own alone
    PRIMARY KEY (slot, pseudonym)
) STRICT, WITHOUT ROWID;

-- At the home: how many certificates a member had, by the same slot.
CREATE TABLE pseudonym_count (
    slot TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- At a steward's node: what it wants the home to open.
CREATE TABLE pseudonym_wish (
    community TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    act       TEXT NOT NULL,               -- opened or stopped
    org       TEXT NOT NULL,
    reason    TEXT NOT NULL,
    refused   TEXT NOT NULL DEFAULT '',    -- why the home said no
    PRIMARY KEY (community, pseudonym, act, org)
) STRICT, WITHOUT ROWID;
