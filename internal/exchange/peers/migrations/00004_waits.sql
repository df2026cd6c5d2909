-- +goose Up
-- 1: the home could not judge it yet, for want of a key, and is asked again.
ALTER TABLE peers_quarantine ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE peers_quarantine DROP COLUMN waits;
