-- +goose Up
-- deadline
CREATE TABLE cases_deadline_stub (n INTEGER PRIMARY KEY) STRICT;
