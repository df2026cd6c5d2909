-- +goose Up
-- report
CREATE TABLE cases_report_stub (n INTEGER PRIMARY KEY) STRICT;
