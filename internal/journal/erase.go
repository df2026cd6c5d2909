package journal

import (
	"github.com/polder-exchange/polder"
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
