-- +goose Up
-- Deliveries that address somebody whom the version reached before: what another node, which keeps a copy, has to be told.
CREATE INDEX delivery_widening ON delivery (seq) WHERE nominal <> reached AND kind = 0 AND withdrawn = 0;
