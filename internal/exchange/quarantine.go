package exchange

import (
	"context"
	"encoding/json"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// What waits of one link is bounded; the oldest goes first, and what is larger is not kept.
const (
	waitingRows  = 1000
	waitingBytes = 64 << 10
)

// await keeps a delivery of a link that cannot be judged yet: its signer's key, or its signature, is missing. What arrives
// again replaces what came before.
func (s *Service) await(tx *db.Tx, link string, h Handed) error {
	raw := []byte(h.Raw)
	h.Raw = nil
	kept, err := json.Marshal(h)
	if err != nil || len(kept)+len(raw) > waitingBytes {
		return nil // it stands in the verdict, and comes again when the link begins anew
	}
	_, err = tx.Exec(`INSERT INTO peer_waiting (link, community, seq, handed, raw) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (link, community, seq) DO UPDATE SET handed = excluded.handed, raw = excluded.raw`, link, string(h.Community), int64(h.Seq), string(kept), raw)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM peer_waiting WHERE link = ?1 AND n <= (SELECT n FROM peer_waiting WHERE link = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)`, link, waitingRows)
	return err
}

// Retake tries again what [Service.Take] quarantined of a link because it could not be judged, now that more is known, and
// says what became of each. Call it when keys have come.
func (s *Service) Retake(ctx context.Context, from Origin) ([]Verdict, error) {
	batch, err := s.waiting(ctx, from.Link)
	if err != nil || len(batch) == 0 {
		return nil, err
	}
	return s.Take(ctx, from, batch, nil)
}

func (s *Service) waiting(ctx context.Context, link string) (batch []Handed, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT handed, raw FROM peer_waiting WHERE link = ? ORDER BY seq LIMIT ?`, link, waitingRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var raw []byte
		var h Handed
		if err := rows.Scan(&text, &raw); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			return nil, err
		}
		h.Raw = raw
		batch = append(batch, h)
	}
	return batch, rows.Err()
}

// judged forgets that a delivery waited.
func (s *Service) judged(tx *db.Tx, link string, c polder.CommunityID, seq polder.Seq) error {
	_, err := tx.Exec(`DELETE FROM peer_waiting WHERE link = ? AND community = ? AND seq = ?`, link, string(c), int64(seq))
	return err
}

// DropWaiting forgets what waited of a link; for a link that is removed.
func (s *Service) DropWaiting(tx *db.Tx, link string) error {
	_, err := tx.Exec(`DELETE FROM peer_waiting WHERE link = ?`, link)
	return err
}
