-- When the node of a peer that this node serves said that it holds everything up to a number.

-- +goose Up
CREATE TABLE peers_reached (
    link TEXT NOT NULL REFERENCES peers_link (id),
    upto INTEGER NOT NULL, -- this node's number
    at   INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (link, upto)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE peers_reached;
