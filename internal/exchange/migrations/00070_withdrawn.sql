-- +goose Up
-- What the home of a community said was withdrawn: a home that was restored from a backup does not bring it back.
CREATE TABLE peer_withdrawn (
    peer      TEXT NOT NULL,    -- the home, with the organisation for whom it said so
    community TEXT NOT NULL,
    object    TEXT NOT NULL,
    version   TEXT NOT NULL,    -- sortable instant; '' for all versions, or the record of an observable
    record    BLOB NOT NULL,    -- digest of that record; else empty
    seq       INTEGER NOT NULL, -- number of the withdrawal there
    PRIMARY KEY (peer, community, object, version, record)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE peer_withdrawn;
