-- +goose Up

-- A case's own fields. Times are microseconds since 1970, 0 is none; levels are numbers from 1 (clear) to 5 (red).
CREATE TABLE cases_case (
	n         INTEGER PRIMARY KEY,
	id        TEXT    NOT NULL UNIQUE,
	org       TEXT    NOT NULL CHECK (org <> ''),
	level     INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	title     TEXT    NOT NULL,
	summary   TEXT    NOT NULL,
	folded    TEXT    NOT NULL, -- title and summary in lower case, to look in
	kind      TEXT    NOT NULL,
	roads     TEXT    NOT NULL, -- ",cyber,insider,"
	class     TEXT    NOT NULL,
	severity  TEXT    NOT NULL,
	weight    INTEGER NOT NULL, -- of the severity: 1 to 4
	status    TEXT    NOT NULL,
	aware     INTEGER NOT NULL,
	noticed   TEXT    NOT NULL,
	occurred  INTEGER NOT NULL,
	ended     INTEGER NOT NULL,
	sector    TEXT    NOT NULL,
	countries TEXT    NOT NULL, -- "DE,NL"
	crosses   INTEGER NOT NULL,
	report    TEXT    NOT NULL,
	victim    TEXT    NOT NULL,
	opened    INTEGER NOT NULL,
	opened_by TEXT    NOT NULL,
	closed    INTEGER NOT NULL DEFAULT 0,
	changed   INTEGER NOT NULL,
	version   INTEGER NOT NULL DEFAULT 1,
	archived  INTEGER NOT NULL DEFAULT 0,
	announced INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cases_case_org ON cases_case (org, n);
CREATE INDEX cases_case_report ON cases_case (report) WHERE report <> '';

-- Who was let in: a person of the case's organisation, or another organisation.
CREATE TABLE cases_member (
	is_org  INTEGER NOT NULL CHECK (is_org IN (0, 1)),
	who     TEXT    NOT NULL CHECK (who <> ''),
	case_n  INTEGER NOT NULL REFERENCES cases_case (n),
	part    TEXT    NOT NULL,
	ceiling INTEGER NOT NULL CHECK (ceiling BETWEEN 1 AND 5),
	since   INTEGER NOT NULL,
	actor   TEXT    NOT NULL,
	by_changed  INTEGER NOT NULL DEFAULT 0, -- by what lists of this member are sorted: 0 where the member does not see it
	by_severity INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (is_org, who, case_n)
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_member_case ON cases_member (case_n);
CREATE INDEX cases_member_changed ON cases_member (is_org, who, by_changed, case_n);
CREATE INDEX cases_member_severity ON cases_member (is_org, who, by_severity, case_n);

-- Items are kept for ever: struck out and erased, never deleted.
CREATE TABLE cases_item (
	n          INTEGER PRIMARY KEY,
	id         TEXT    NOT NULL UNIQUE,
	case_n     INTEGER NOT NULL REFERENCES cases_case (n),
	kind       TEXT    NOT NULL,
	level      INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	at         INTEGER NOT NULL,
	title      TEXT    NOT NULL,
	text       TEXT    NOT NULL,
	folded     TEXT    NOT NULL, -- title, text and value in lower case, to look in
	body       TEXT    NOT NULL, -- what the kind adds, as JSON
	value      TEXT    NOT NULL DEFAULT '', -- of an observable
	owner      TEXT    NOT NULL DEFAULT '', -- of a task that is not done
	target     TEXT    NOT NULL DEFAULT '', -- of a link
	supersedes TEXT    NOT NULL DEFAULT '',
	version    INTEGER NOT NULL DEFAULT 1,
	made       INTEGER NOT NULL,
	made_by    TEXT    NOT NULL,
	changed    INTEGER NOT NULL,
	changed_by TEXT    NOT NULL,
	org        TEXT    NOT NULL,
	weighs     INTEGER NOT NULL DEFAULT 0,
	struck     INTEGER NOT NULL DEFAULT 0,
	erased     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cases_item_time ON cases_item (case_n, at, n);
CREATE INDEX cases_item_value ON cases_item (value, case_n) WHERE value <> '';
CREATE INDEX cases_item_owner ON cases_item (owner) WHERE owner <> '';
CREATE INDEX cases_item_supersedes ON cases_item (supersedes) WHERE supersedes <> '';

-- The custody of evidence: steps are only added.
CREATE TABLE cases_custody (
	n      INTEGER PRIMARY KEY,
	item_n INTEGER NOT NULL REFERENCES cases_item (n),
	at     INTEGER NOT NULL,
	person TEXT    NOT NULL,
	org    TEXT    NOT NULL,
	did    TEXT    NOT NULL,
	whom   TEXT    NOT NULL,
	reason TEXT    NOT NULL
) STRICT;
CREATE INDEX cases_custody_item ON cases_custody (item_n, n);

-- What everything once was, and who did what. Only an erasure empties a body.
CREATE TABLE cases_revision (
	n       INTEGER PRIMARY KEY,
	case_n  INTEGER NOT NULL REFERENCES cases_case (n),
	what    TEXT    NOT NULL,
	item    TEXT    NOT NULL,
	version INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	person  TEXT    NOT NULL,
	org     TEXT    NOT NULL,
	did     TEXT    NOT NULL,
	reason  TEXT    NOT NULL,
	level   INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	body    TEXT    NOT NULL
) STRICT;
CREATE INDEX cases_revision_case ON cases_revision (case_n, n);
CREATE INDEX cases_revision_item ON cases_revision (item, n) WHERE item <> '';

CREATE TABLE cases_damage (
	case_n  INTEGER PRIMARY KEY REFERENCES cases_case (n),
	version INTEGER NOT NULL,
	level   INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
	body    TEXT    NOT NULL
) STRICT;

-- The register of crown jewels, each organisation's own.
CREATE TABLE cases_jewel (
	n       INTEGER PRIMARY KEY,
	id      TEXT    NOT NULL UNIQUE,
	org     TEXT    NOT NULL CHECK (org <> ''),
	name    TEXT    NOT NULL, -- in lower case
	folded  TEXT    NOT NULL,
	body    TEXT    NOT NULL,
	changed INTEGER NOT NULL,
	version INTEGER NOT NULL,
	removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX cases_jewel_name ON cases_jewel (org, name, id);

CREATE TABLE cases_jewel_revision (
	n      INTEGER PRIMARY KEY,
	jewel  TEXT    NOT NULL,
	at     INTEGER NOT NULL,
	person TEXT    NOT NULL,
	did    TEXT    NOT NULL,
	body   TEXT    NOT NULL
) STRICT;
CREATE INDEX cases_jewel_revision_jewel ON cases_jewel_revision (jewel, n);

-- Which crown jewels a case touches.
CREATE TABLE cases_touch (
	case_n INTEGER NOT NULL REFERENCES cases_case (n),
	jewel  TEXT    NOT NULL,
	PRIMARY KEY (case_n, jewel)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases_setting (
	org            TEXT    PRIMARY KEY,
	stewards_list  INTEGER NOT NULL,
	readers_jewels INTEGER NOT NULL,
	version        INTEGER NOT NULL
) STRICT;
