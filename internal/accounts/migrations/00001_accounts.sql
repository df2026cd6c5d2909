-- Times are microseconds since 1970, of the clock that never goes back (clock.go); zero means never.
-- Roles and markings are stored by name.

-- +goose Up
CREATE TABLE accounts_state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    epoch   INTEGER NOT NULL,
    high    INTEGER NOT NULL, -- the latest time ever seen
    running INTEGER NOT NULL, -- how long the node has been running, in microseconds
    org     TEXT    NOT NULL  -- the organisation that runs the node; empty before init
) STRICT;
INSERT INTO accounts_state (id, epoch, high, running, org) VALUES (1, 0, 0, 0, '');

CREATE TABLE accounts_org (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    country  TEXT NOT NULL,
    sector   TEXT NOT NULL,
    widest   TEXT NOT NULL,
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts_person (
    id          TEXT PRIMARY KEY,
    org         TEXT NOT NULL REFERENCES accounts_org (id),
    email       TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    role        TEXT NOT NULL,
    password    TEXT NOT NULL,
    must_change INTEGER NOT NULL,
    disabled    INTEGER NOT NULL, -- 0 or 1
    language    TEXT NOT NULL,
    theme       TEXT NOT NULL,
    shortcuts   INTEGER NOT NULL,
    created     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_person_org ON accounts_person (org, email);

CREATE TABLE accounts_token (
    id           TEXT PRIMARY KEY,
    org          TEXT NOT NULL REFERENCES accounts_org (id),
    role         TEXT NOT NULL,
    name         TEXT NOT NULL,
    hash         BLOB NOT NULL,
    scoped       INTEGER NOT NULL, -- 1: only the communities of accounts_token_scope
    expires      INTEGER NOT NULL,
    revoked      INTEGER NOT NULL,
    used         INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    maker_person TEXT NOT NULL,
    maker_token  TEXT NOT NULL     -- both empty: made at the machine
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_token_org ON accounts_token (org, created);
CREATE INDEX accounts_token_maker_person ON accounts_token (maker_person) WHERE maker_person <> '';
CREATE INDEX accounts_token_maker_token ON accounts_token (maker_token) WHERE maker_token <> '';

CREATE TABLE accounts_token_scope (
    token     TEXT NOT NULL REFERENCES accounts_token (id),
    community TEXT NOT NULL REFERENCES accounts_community (id),
    PRIMARY KEY (token, community)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts_session (
    id      TEXT PRIMARY KEY,
    hash    BLOB NOT NULL UNIQUE,
    person  TEXT NOT NULL REFERENCES accounts_person (id),
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended   INTEGER NOT NULL,
    network TEXT NOT NULL, -- the address, an IPv6 one cut to its /64
    agent   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_session_person ON accounts_session (person, created);
CREATE INDEX accounts_session_expires ON accounts_session (expires);

CREATE TABLE accounts_community (
    id        TEXT PRIMARY KEY,
    alias     TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    unmarked  TEXT NOT NULL,
    blind     TEXT NOT NULL UNIQUE,
    agreement INTEGER NOT NULL, -- the current version
    needed    INTEGER NOT NULL, -- the oldest version whose acceptance still counts
    created   INTEGER NOT NULL,
    modified  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts_membership (
    org       TEXT NOT NULL REFERENCES accounts_org (id),
    community TEXT NOT NULL REFERENCES accounts_community (id),
    role      TEXT NOT NULL,
    accepted  INTEGER NOT NULL, -- the version of the agreement; 0: none yet
    since     INTEGER NOT NULL,
    PRIMARY KEY (org, community)
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_membership_community ON accounts_membership (community);

CREATE TABLE accounts_agreement (
    community TEXT NOT NULL REFERENCES accounts_community (id),
    version   INTEGER NOT NULL,
    text      TEXT NOT NULL,
    written   INTEGER NOT NULL,
    PRIMARY KEY (community, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts_acceptance (
    id        INTEGER PRIMARY KEY,
    community TEXT NOT NULL REFERENCES accounts_community (id),
    org       TEXT NOT NULL REFERENCES accounts_org (id),
    version   INTEGER NOT NULL,
    person    TEXT NOT NULL, -- empty: the administrator, on the organisation's behalf
    name      TEXT NOT NULL, -- of the person, as it was then
    accepted  INTEGER NOT NULL
) STRICT;
CREATE INDEX accounts_acceptance_community ON accounts_acceptance (community, org);

CREATE TABLE accounts_invitation (
    id           TEXT PRIMARY KEY,
    hash         BLOB NOT NULL UNIQUE,
    community    TEXT NOT NULL REFERENCES accounts_community (id),
    role         TEXT NOT NULL,
    note         TEXT NOT NULL,
    expires      INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    used         INTEGER NOT NULL,
    used_by      TEXT NOT NULL, -- the organisation that joined
    revoked      INTEGER NOT NULL,
    maker_org    TEXT NOT NULL,
    maker_person TEXT NOT NULL,
    maker_token  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_invitation_community ON accounts_invitation (community, created);

CREATE TABLE accounts_request (
    id        TEXT PRIMARY KEY,
    community TEXT NOT NULL REFERENCES accounts_community (id),
    org       TEXT NOT NULL REFERENCES accounts_org (id),
    person    TEXT NOT NULL,
    message   TEXT NOT NULL,
    accepted  INTEGER NOT NULL, -- the version of the agreement that the person accepted with the request
    state     TEXT NOT NULL CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')),
    reason    TEXT NOT NULL,
    created   INTEGER NOT NULL,
    decided   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_request_open ON accounts_request (community, org) WHERE state = 'open';
CREATE INDEX accounts_request_org ON accounts_request (org, created);

CREATE TABLE accounts_limit (
    key  TEXT PRIMARY KEY,
    full INTEGER NOT NULL -- when the allowance is whole again, on the clock of running time
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_limit_full ON accounts_limit (full);

CREATE TABLE accounts_key (
    name TEXT PRIMARY KEY,
    key  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE accounts_key;
DROP TABLE accounts_limit;
DROP TABLE accounts_request;
DROP TABLE accounts_invitation;
DROP TABLE accounts_acceptance;
DROP TABLE accounts_agreement;
DROP TABLE accounts_membership;
DROP TABLE accounts_token_scope;
DROP TABLE accounts_community;
DROP TABLE accounts_session;
DROP TABLE accounts_token;
DROP TABLE accounts_person;
DROP TABLE accounts_org;
DROP TABLE accounts_state;
