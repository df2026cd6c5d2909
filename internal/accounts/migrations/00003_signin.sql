-- How people log in beside a password: by an account at a provider (OpenID Connect), by a passkey (WebAuthn).

-- +goose Up
CREATE TABLE accounts_identity (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    person  TEXT NOT NULL REFERENCES accounts_person (id),
    linked  INTEGER NOT NULL,
    used    INTEGER NOT NULL, -- 0: not yet
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_identity_person ON accounts_identity (person, linked);

CREATE TABLE accounts_passkey (
    id         TEXT PRIMARY KEY,
    credential BLOB NOT NULL UNIQUE, -- the id that the authenticator gave
    person     TEXT NOT NULL REFERENCES accounts_person (id),
    name       TEXT NOT NULL,
    key        BLOB NOT NULL, -- the public key (COSE)
    counter    INTEGER NOT NULL,
    eligible   INTEGER NOT NULL, -- 1: may be kept in several devices
    created    INTEGER NOT NULL,
    used       INTEGER NOT NULL, -- 0: not yet
    cloned     INTEGER NOT NULL -- when its counter went back; 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_passkey_person ON accounts_passkey (person, created);

ALTER TABLE accounts_session ADD COLUMN way TEXT NOT NULL DEFAULT 'password';

-- +goose Down
ALTER TABLE accounts_session DROP COLUMN way;
DROP TABLE accounts_passkey;
DROP TABLE accounts_identity;
