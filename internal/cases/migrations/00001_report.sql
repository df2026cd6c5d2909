-- +goose Up

-- A desk takes reports for an organisation. Its alias is never given to another, also when it is closed: it stands on
-- posters.
CREATE TABLE cases_desk (
	alias   TEXT PRIMARY KEY,
	org     TEXT NOT NULL,
	name    TEXT NOT NULL,
	kind    TEXT NOT NULL,
	listed  INTEGER NOT NULL,
	promise TEXT NOT NULL,
	phone   TEXT NOT NULL,
	team    TEXT NOT NULL,
	changed INTEGER NOT NULL,
	closed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_desk_org ON cases_desk (org);

-- The keys of people, locked by passphrases that are nowhere here.
CREATE TABLE cases_key (
	id      TEXT PRIMARY KEY,
	person  TEXT NOT NULL,
	org     TEXT NOT NULL,
	public  BLOB NOT NULL,
	locked  TEXT NOT NULL,
	made    INTEGER NOT NULL,
	current INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_key_person ON cases_key (person);

-- Who reads, waits to, and has read for a desk.
CREATE TABLE cases_reader (
	desk      TEXT NOT NULL,
	key       TEXT NOT NULL,
	person    TEXT NOT NULL,
	public    BLOB NOT NULL,
	name      TEXT NOT NULL,
	state     TEXT NOT NULL,
	asked     INTEGER NOT NULL,
	asker     TEXT NOT NULL,
	asked_by  TEXT NOT NULL,
	confirmed TEXT NOT NULL,
	since     INTEGER NOT NULL,
	gone      INTEGER NOT NULL,
	PRIMARY KEY (desk, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_reader_person ON cases_reader (person, state);

-- The list of keys of a desk, which is only ever added to.
CREATE TABLE cases_desk_log (
	desk  TEXT NOT NULL,
	n     INTEGER NOT NULL,
	entry TEXT NOT NULL,
	PRIMARY KEY (desk, n)
) STRICT, WITHOUT ROWID;

-- Reports lie in the order of random ids, so that the file does not tell in which order they came. Times that a reporter
-- makes are to the hour.
CREATE TABLE cases_report (
	id           TEXT PRIMARY KEY,
	desk         TEXT NOT NULL,
	team         TEXT NOT NULL,
	state        TEXT NOT NULL,
	sealed_by    TEXT NOT NULL,
	received     INTEGER NOT NULL,
	acknowledged INTEGER NOT NULL,
	closed       INTEGER NOT NULL,
	changed      INTEGER NOT NULL,
	fading       INTEGER NOT NULL,
	case_id      TEXT NOT NULL,
	lookup       BLOB,
	reporter     BLOB
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cases_report_lookup ON cases_report (lookup) WHERE lookup IS NOT NULL;
CREATE INDEX cases_report_desk ON cases_report (desk, received, id);
CREATE INDEX cases_report_team ON cases_report (team, received, id) WHERE team <> '';
CREATE INDEX cases_report_changed ON cases_report (changed);

-- What is sealed: the report itself (n = 0), messages, files. The body of a file lies among the files of the node.
CREATE TABLE cases_box (
	id     TEXT PRIMARY KEY,
	report TEXT NOT NULL,
	part   TEXT NOT NULL,
	n      INTEGER NOT NULL,
	sender TEXT NOT NULL,
	at     INTEGER NOT NULL,
	of_box TEXT NOT NULL,
	nonce  BLOB NOT NULL,
	body   BLOB NOT NULL,
	hash   BLOB NOT NULL,
	size   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_box_report ON cases_box (report, n);

-- The content key of a box for one reader.
CREATE TABLE cases_wrap (
	box    TEXT NOT NULL,
	key    TEXT NOT NULL,
	enc    BLOB NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (box, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_wrap_key ON cases_wrap (key);

-- What came in lately, so that the same post makes no second report: keyed hashes, taken away after a day.
CREATE TABLE cases_once (
	hash   BLOB PRIMARY KEY,
	report TEXT NOT NULL,
	at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_once_at ON cases_once (at);
