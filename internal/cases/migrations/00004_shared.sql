-- +goose Up

-- With whom a case is shared through the exchange. Times are microseconds since 1970, 0 is none; levels are numbers.
CREATE TABLE cases_sharing (
	id        TEXT    PRIMARY KEY, -- a UUID, which the shared objects bear in place of the case's own id
	case_id   TEXT    NOT NULL,
	org       TEXT    NOT NULL,
	community TEXT    NOT NULL,
	with_org  TEXT    NOT NULL,
	part      TEXT    NOT NULL,
	ceiling   INTEGER NOT NULL CHECK (ceiling BETWEEN 1 AND 5),
	country   TEXT    NOT NULL DEFAULT '',
	stage     TEXT    NOT NULL DEFAULT '',
	since     INTEGER NOT NULL,
	actor     TEXT    NOT NULL,
	sent      INTEGER NOT NULL DEFAULT 0,
	digest    TEXT    NOT NULL DEFAULT '', -- of what was sent last
	stopped   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_sharing_case ON cases_sharing (case_id, since);

-- What an organisation added to a case that another shares with it.
CREATE TABLE cases_sharing_reply (
	id        TEXT    PRIMARY KEY,
	org       TEXT    NOT NULL,
	community TEXT    NOT NULL,
	case_key  TEXT    NOT NULL, -- the id that the shared objects bear
	to_org    TEXT    NOT NULL,
	level     INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	body      TEXT    NOT NULL,
	made      INTEGER NOT NULL,
	actor     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_sharing_reply_case ON cases_sharing_reply (org, community, case_key, made);

-- Who takes notice of cases that touch a country, as an organisation has set it.
CREATE TABLE cases_contact (
	org       TEXT NOT NULL,
	country   TEXT NOT NULL,
	community TEXT NOT NULL,
	with_org  TEXT NOT NULL,
	PRIMARY KEY (org, country)
) STRICT, WITHOUT ROWID;

-- What left from a case: which object, where, when.
CREATE TABLE cases_release (
	n         INTEGER PRIMARY KEY,
	case_id   TEXT    NOT NULL,
	org       TEXT    NOT NULL,
	community TEXT    NOT NULL,
	object    TEXT    NOT NULL,
	says      TEXT    NOT NULL,
	level     INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	at        INTEGER NOT NULL,
	actor     TEXT    NOT NULL
) STRICT;
CREATE INDEX cases_release_case ON cases_release (case_id, n);
CREATE INDEX cases_release_object ON cases_release (object);
