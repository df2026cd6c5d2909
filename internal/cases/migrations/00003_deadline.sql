-- +goose Up

-- By which rules a case is counted: chosen by a person, or proposed (chosen_by is empty). Lists are JSON.
CREATE TABLE cases_duty (
	case_id       TEXT PRIMARY KEY,
	org           TEXT    NOT NULL,
	jurisdictions TEXT    NOT NULL,
	sectors       TEXT    NOT NULL,
	kinds         TEXT    NOT NULL,
	serious       TEXT    NOT NULL, -- yes, no, unknown
	chosen_by     TEXT    NOT NULL,
	changed       INTEGER NOT NULL,
	version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When the organisation first knew, as it was said over time. Rows are only ever added.
CREATE TABLE cases_aware (
	case_id TEXT    NOT NULL,
	n       INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	made    INTEGER NOT NULL,
	person  TEXT    NOT NULL,
	reason  TEXT    NOT NULL,
	PRIMARY KEY (case_id, n)
) STRICT, WITHOUT ROWID;

-- What happened that rules wait for. Rows are only ever added; one that was struck out does not count.
CREATE TABLE cases_event (
	case_id TEXT    NOT NULL,
	n       INTEGER NOT NULL,
	name    TEXT    NOT NULL,
	at      INTEGER NOT NULL,
	made    INTEGER NOT NULL,
	person  TEXT    NOT NULL,
	struck  INTEGER NOT NULL DEFAULT 0,
	reason  TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (case_id, n)
) STRICT, WITHOUT ROWID;

-- The deadlines of a case as they were counted last, and what people said of each.
CREATE TABLE cases_deadline (
	case_id   TEXT    NOT NULL,
	rule      TEXT    NOT NULL, -- "nis2-nl/early-warning"
	org       TEXT    NOT NULL,
	start     INTEGER NOT NULL, -- 0: not known yet
	due       INTEGER NOT NULL, -- 0: no time, or it waits
	said      TEXT    NOT NULL, -- the rule and how it was counted, as JSON
	mark      TEXT    NOT NULL DEFAULT '', -- sent, excused
	sent      INTEGER NOT NULL DEFAULT 0,
	reference TEXT    NOT NULL DEFAULT '',
	reason    TEXT    NOT NULL DEFAULT '',
	person    TEXT    NOT NULL DEFAULT '',
	late      INTEGER NOT NULL DEFAULT 0, -- when it was seen to be over; it stays over if the clock is set back
	fired     INTEGER NOT NULL DEFAULT 0, -- the last moment of a reminder that was given
	gone      INTEGER NOT NULL DEFAULT 0, -- 1: the rules no longer ask it, but somebody said something of it
	version   INTEGER NOT NULL DEFAULT 1,
	PRIMARY KEY (case_id, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_deadline_org ON cases_deadline (org, due, case_id, rule) WHERE mark = '' AND gone = 0;
