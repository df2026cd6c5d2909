-- +goose Up
-- What an organisation chose. No row: the defaults.
CREATE TABLE screen_settings (
    org             TEXT PRIMARY KEY,
    threshold       REAL NOT NULL,
    second_from     REAL NOT NULL,
    second_for_true INTEGER NOT NULL,
    keep_decided    INTEGER NOT NULL,        -- days
    keep_undecided  INTEGER NOT NULL,
    record_single   INTEGER NOT NULL,
    changed         INTEGER NOT NULL,        -- microseconds since 1970, as all times here
    actor           TEXT NOT NULL,
    version         INTEGER NOT NULL,
    generation      INTEGER NOT NULL         -- rises when everybody is to be asked about again
) STRICT;

-- Lists in their versions, and the threshold, that something was asked with.
CREATE TABLE screen_against (
    n          INTEGER PRIMARY KEY AUTOINCREMENT,
    org        TEXT NOT NULL,
    key        TEXT NOT NULL,                -- hash of all that follows
    threshold  REAL NOT NULL,
    generation INTEGER NOT NULL,
    lists      TEXT NOT NULL,                -- JSON
    UNIQUE (org, key)
) STRICT;

-- Groups of parties that an organisation made for itself.
CREATE TABLE screen_group (
    org   TEXT NOT NULL,
    name  TEXT NOT NULL,
    title TEXT NOT NULL,
    made  INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (org, name)
) STRICT;

-- Parties that an organisation knows. Which lists a party was asked against is kept with it, so that asking again goes
-- on where it stopped, whatever happens.
CREATE TABLE screen_party (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    org         TEXT NOT NULL,
    grp         TEXT NOT NULL,
    ref         TEXT NOT NULL,
    folded      TEXT NOT NULL,               -- name and reference in lower case, to look for and to sort by
    query       TEXT NOT NULL,               -- JSON
    fingerprint TEXT NOT NULL,
    added       INTEGER NOT NULL,
    added_by    TEXT NOT NULL,
    changed     INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    removed     INTEGER NOT NULL DEFAULT 0,
    screened    INTEGER NOT NULL DEFAULT 0,
    against     INTEGER NOT NULL DEFAULT 0   -- a row of screen_against; 0: to be asked against everything; -1: removed
) STRICT;
CREATE UNIQUE INDEX screen_party_ref ON screen_party (org, grp, ref) WHERE ref <> '' AND removed = 0;
CREATE INDEX screen_party_fingerprint ON screen_party (org, grp, fingerprint);
CREATE INDEX screen_party_against ON screen_party (org, against, n);
CREATE INDEX screen_party_name ON screen_party (org, removed, folded, id);

-- One party, or query about nobody known, and one listing.
CREATE TABLE screen_review (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    org      TEXT NOT NULL,
    subject  TEXT NOT NULL,                  -- "party " and its id, or "query " and its fingerprint
    party    TEXT NOT NULL,                  -- id, or empty
    grp      TEXT NOT NULL,
    batch    TEXT NOT NULL,
    query    TEXT NOT NULL,                  -- JSON
    folded   TEXT NOT NULL,                  -- what is looked for, in lower case
    list     TEXT NOT NULL,
    listing  TEXT NOT NULL,                  -- the list's own id
    name     TEXT NOT NULL,
    score    REAL NOT NULL,
    why      TEXT NOT NULL,
    state    TEXT NOT NULL,
    waits    INTEGER NOT NULL,               -- whether a person must do something
    question TEXT NOT NULL DEFAULT '',
    verdict  TEXT NOT NULL DEFAULT '',
    actor    TEXT NOT NULL DEFAULT '',
    person   TEXT NOT NULL DEFAULT '',
    reason   TEXT NOT NULL DEFAULT '',
    decided  INTEGER NOT NULL DEFAULT 0,
    note     TEXT NOT NULL DEFAULT '',
    told     TEXT NOT NULL DEFAULT '',      -- the note in parts, JSON; empty for none
    gone     INTEGER NOT NULL DEFAULT 0,
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    listed   TEXT NOT NULL,                  -- fingerprint of the listing
    asked    TEXT NOT NULL,                  -- fingerprint of the query
    snapshot INTEGER NOT NULL,               -- number of the newest
    checked  TEXT NOT NULL,                  -- hash of the list's version that it was last held against
    UNIQUE (org, subject, list, listing)
) STRICT;
CREATE INDEX screen_review_waits_score ON screen_review (org, waits, score, id, folded); -- folded, so that texts are looked for in the index
CREATE INDEX screen_review_waits_made ON screen_review (org, waits, made, id);
CREATE INDEX screen_review_state_score ON screen_review (org, state, score, id);
CREATE INDEX screen_review_state_made ON screen_review (org, state, made, id);
CREATE INDEX screen_review_score ON screen_review (org, score, id);
CREATE INDEX screen_review_made ON screen_review (org, made, id);
CREATE INDEX screen_review_party ON screen_review (party, state) WHERE party <> '';
CREATE INDEX screen_review_batch ON screen_review (batch, id) WHERE batch <> '';
CREATE INDEX screen_review_list ON screen_review (org, list, checked, n);
CREATE INDEX screen_review_list_score ON screen_review (org, list, waits, score, id);

-- How many reviews there are, kept in the transactions that write them.
CREATE TABLE screen_tally (
    org   TEXT NOT NULL,
    state TEXT NOT NULL,
    list  TEXT NOT NULL,
    grp   TEXT NOT NULL,
    asked INTEGER NOT NULL,                  -- whether something must be known first
    n     INTEGER NOT NULL,
    PRIMARY KEY (org, state, list, grp, asked)
) STRICT, WITHOUT ROWID;

-- A listing and a comparison as they were seen.
CREATE TABLE screen_snapshot (
    review    INTEGER NOT NULL REFERENCES screen_review (n) ON DELETE CASCADE,
    n         INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    threshold REAL NOT NULL,
    query     TEXT NOT NULL,                 -- JSON, as all that follows
    hit       TEXT NOT NULL,
    listing   TEXT NOT NULL,
    list      TEXT NOT NULL,
    PRIMARY KEY (review, n)
) STRICT, WITHOUT ROWID;

-- The history of a review: what people decided and what the node saw. Lines are only added, until all goes.
CREATE TABLE screen_decision (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    org       TEXT NOT NULL,
    review    INTEGER NOT NULL REFERENCES screen_review (n) ON DELETE CASCADE,
    at        INTEGER NOT NULL,
    actor     TEXT NOT NULL,
    person    TEXT NOT NULL,
    token     TEXT NOT NULL,
    verdict   TEXT NOT NULL,
    state     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    told      TEXT NOT NULL DEFAULT '',     -- what the node says in the reason, in parts
    score     REAL NOT NULL,
    list_date TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    snapshot  INTEGER NOT NULL
) STRICT;
CREATE INDEX screen_decision_review ON screen_decision (review, n);
CREATE INDEX screen_decision_at ON screen_decision (org, at, n);

-- Answers on record.
CREATE TABLE screen_screening (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    org     TEXT NOT NULL,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    person  TEXT NOT NULL,
    token   TEXT NOT NULL,
    subject TEXT NOT NULL,
    party   TEXT NOT NULL,
    query   TEXT NOT NULL,                   -- JSON
    folded  TEXT NOT NULL,
    against INTEGER NOT NULL,
    hits    TEXT NOT NULL,                   -- JSON
    met     INTEGER NOT NULL,                -- how many there were
    note    TEXT NOT NULL
) STRICT;
CREATE INDEX screen_screening_at ON screen_screening (org, at, id);
CREATE INDEX screen_screening_subject ON screen_screening (org, subject);

CREATE TABLE screen_batch (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    org       TEXT NOT NULL,
    name      TEXT NOT NULL,
    state     TEXT NOT NULL,
    made      INTEGER NOT NULL,
    ended     INTEGER NOT NULL DEFAULT 0,
    actor     TEXT NOT NULL,
    person    TEXT NOT NULL,
    token     TEXT NOT NULL,
    threshold REAL NOT NULL,
    total     INTEGER NOT NULL DEFAULT 0,
    done      INTEGER NOT NULL DEFAULT 0,
    refused   INTEGER NOT NULL DEFAULT 0,
    met       INTEGER NOT NULL DEFAULT 0,
    hits      INTEGER NOT NULL DEFAULT 0,
    opened    INTEGER NOT NULL DEFAULT 0,
    against   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX screen_batch_org ON screen_batch (org, made, id);
CREATE INDEX screen_batch_state ON screen_batch (state, n);

CREATE TABLE screen_batch_row (
    batch   INTEGER NOT NULL REFERENCES screen_batch (n) ON DELETE CASCADE,
    row     INTEGER NOT NULL,
    subject TEXT NOT NULL,
    query   TEXT NOT NULL,                   -- JSON
    fault   TEXT NOT NULL DEFAULT '',        -- why it cannot be asked about
    at      INTEGER NOT NULL DEFAULT 0,      -- when it was asked; 0: not yet
    against INTEGER NOT NULL DEFAULT 0,
    hits    TEXT NOT NULL DEFAULT '',        -- JSON; empty for none
    PRIMARY KEY (batch, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX screen_batch_row_hit ON screen_batch_row (batch, row) WHERE hits <> '';
CREATE INDEX screen_batch_row_fault ON screen_batch_row (batch, row) WHERE fault <> '';
CREATE INDEX screen_batch_row_subject ON screen_batch_row (subject);

-- Each time that known parties were asked again.
CREATE TABLE screen_rescreening (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    org      TEXT NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL DEFAULT 0,
    against  INTEGER NOT NULL,
    parties  INTEGER NOT NULL DEFAULT 0,
    entries  INTEGER NOT NULL DEFAULT 0,
    opened   INTEGER NOT NULL DEFAULT 0,
    reopened INTEGER NOT NULL DEFAULT 0,
    unlisted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX screen_rescreening_org ON screen_rescreening (org, n);
CREATE INDEX screen_rescreening_runs ON screen_rescreening (org) WHERE ended = 0;

-- What was erased: numbers alone.
CREATE TABLE screen_tombstone (
    n          INTEGER PRIMARY KEY AUTOINCREMENT,
    org        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    ground     TEXT NOT NULL,
    parties    INTEGER NOT NULL,
    screenings INTEGER NOT NULL,
    reviews    INTEGER NOT NULL,
    decisions  INTEGER NOT NULL,
    rows       INTEGER NOT NULL
) STRICT;
CREATE INDEX screen_tombstone_org ON screen_tombstone (org, n);
