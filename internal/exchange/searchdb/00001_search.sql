-- +goose Up
-- How far the index has read, of which log, and in which form it writes.
CREATE TABLE state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    lineage TEXT NOT NULL,
    form    INTEGER NOT NULL,
    cursor  INTEGER NOT NULL
) STRICT;

-- One row a live delivery that reaches somebody.
CREATE TABLE doc (
    seq    INTEGER PRIMARY KEY,
    scope  INTEGER NOT NULL,
    id     TEXT NOT NULL,
    type   TEXT NOT NULL,
    sharer TEXT NOT NULL,
    level  INTEGER NOT NULL
) STRICT;

-- What a delivery names exactly: values, external ids, names, and the objects that it refers to. The scope comes first,
-- so that a search touches nothing but the entries of its reader's own scopes.
CREATE TABLE posting (
    scope INTEGER NOT NULL,
    key   TEXT NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (scope, key, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX posting_seq ON posting (seq);

-- Words, folded by us, each behind the number of its scope. What is deleted leaves the lists at once, not at some later
-- merge.
CREATE VIRTUAL TABLE words USING fts5(name, body, tokenize = 'ascii');
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
INSERT INTO words (words, rank) VALUES ('rank', 'bm25(8.0, 1.0)');
