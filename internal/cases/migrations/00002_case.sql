-- +goose Up
-- case
CREATE TABLE cases_case_stub (n INTEGER PRIMARY KEY) STRICT;
