-- Organisations and communities that live on another node, their home; '' is this node.

-- +goose Up
CREATE TABLE accounts_home (
    id   TEXT PRIMARY KEY, -- the other node
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE accounts_org ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts_community ADD COLUMN home TEXT NOT NULL DEFAULT '';
CREATE INDEX accounts_org_home ON accounts_org (home) WHERE home <> '';

-- +goose Down
DROP INDEX accounts_org_home;
ALTER TABLE accounts_community DROP COLUMN home;
ALTER TABLE accounts_org DROP COLUMN home;
DROP TABLE accounts_home;
