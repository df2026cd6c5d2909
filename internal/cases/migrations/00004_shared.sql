-- +goose Up
-- shared
CREATE TABLE cases_shared_stub (n INTEGER PRIMARY KEY) STRICT;
