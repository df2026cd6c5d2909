package journal

import (
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// WithdrawnOf returns the deliveries of an object in a community that were withdrawn but whose bytes are still held, in
// the order of their numbers. It is for erasure (X19), never an exit.
func (j *Journal) WithdrawnOf(q Querier, c polder.CommunityID, id string) ([]Delivery, error) {
	u, err := uuidOf(id)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(`SELECT `+columns+` FROM delivery d JOIN body b ON b.id = d.body
		WHERE d.uuid = ? AND d.community = ? AND d.withdrawn <> 0 AND d.kind = 0 AND b.raw IS NOT NULL ORDER BY d.seq`, u, string(c))
	if err != nil {
		return nil, err
	}
	all, err := j.scan(rows)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, d := range all {
		if d.ID == id {
			out = append(out, d)
		}
	}
	return out, nil
}

// Withdrew tells whether a version of an object was withdrawn in a community, of an observable, which has no version,
// the record of a digest: for whatever part of the community, and also when its bytes have been erased since.
func (j *Journal) Withdrew(q Querier, c polder.CommunityID, id, version string, digest [32]byte) (yes bool, err error) {
	u, err := uuidOf(id)
	if err != nil {
		return false, err
	}
	kind, _, _ := strings.Cut(id, "--")
	rows, err := q.Query(`SELECT 1 FROM delivery WHERE uuid = ?1 AND community = ?2 AND type = ?3 AND withdrawn <> 0 AND kind = 0
		AND version = ?4 AND (version <> '' OR digest = ?5) LIMIT 1`, u, string(c), kind, version, digest[:])
	if err != nil {
		return false, err
	}
	defer rows.Close()
	yes = rows.Next()
	return yes, rows.Err()
}

// WithdrewAt is the number of the first withdrawal of a version by org, of an observable of the record of a digest, since
// this log was last restored; 0 when there is none.
func (j *Journal) WithdrewAt(tx *db.Tx, c polder.CommunityID, id, version string, digest []byte, org polder.OrgID) (seq polder.Seq, err error) {
	u, err := uuidOf(id)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(`SELECT coalesce(min(seq), 0) FROM delivery WHERE uuid = ?1 AND community = ?2 AND kind = 1 AND sharer = ?3
		AND CASE WHEN ?5 IS NULL THEN version = ?4 ELSE digest = ?5 END AND seq > (SELECT max(since) FROM lineage)`, u, string(c), string(org), version, digest).Scan(&seq)
	return seq, err
}
