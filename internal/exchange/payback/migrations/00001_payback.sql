-- +goose Up
-- Which objects stood in a block list that an organisation took from this node: once for each, and nothing of the list.
CREATE TABLE payback_block (
    community TEXT NOT NULL,
    id        TEXT NOT NULL,
    org       TEXT NOT NULL,
    day       INTEGER NOT NULL, -- the first, in microseconds
    PRIMARY KEY (community, id, org)
) STRICT, WITHOUT ROWID;
CREATE INDEX payback_block_org ON payback_block (org, community, id);
