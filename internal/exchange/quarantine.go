package exchange

import (
	"context"
	"encoding/json"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Quarantine holds at most so much of what a link brought and was not taken; the oldest goes first.
const (
	quarantineRows  = 1000
	quarantineBytes = 64 << 10
)

// NotTaken is a delivery that a peer handed over and that was not taken.
type NotTaken struct {
	Community polder.CommunityID
	Seq       polder.Seq // the peer's
	ID        string     // of the object, as the peer says
	State     string     // refused, or quarantined while what is missing may still come
	Reason    string
	At        time.Time
	Handed    json.RawMessage // as it came; nil where it was too large to keep
}

// quarantine keeps a delivery that was not taken. What arrives again replaces what came before.
func (s *Service) quarantine(tx *db.Tx, link string, h Handed, v Verdict) error {
	kept, err := json.Marshal(h)
	if err != nil || len(kept) > quarantineBytes {
		kept = nil
	}
	_, err = tx.Exec(`INSERT INTO quarantine (link, community, seq, object, state, reason, at, handed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (link, community, seq) DO UPDATE SET object = excluded.object, state = excluded.state, reason = excluded.reason, at = excluded.at, handed = excluded.handed`,
		link, clip(string(h.Community), 100), int64(h.Seq), clip(h.ID, 200), v.State, clip(v.Reason, 500), s.now().UnixMicro(), kept)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM quarantine WHERE link = ?1 AND n <= (SELECT n FROM quarantine WHERE link = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)`, link, quarantineRows)
	return err
}

// Quarantined lists what a link brought and was not taken, the newest first. It is for those who manage the node's
// links; the bytes are theirs to look at because nobody else's sight has decided anything about them.
func (s *Service) Quarantined(ctx context.Context, link string, limit int) (out []NotTaken, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT community, seq, object, state, reason, at, handed FROM quarantine WHERE link = ? ORDER BY n DESC LIMIT ?`, link, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n NotTaken
		var at int64
		var handed []byte
		if err := rows.Scan(&n.Community, &n.Seq, &n.ID, &n.State, &n.Reason, &at, &handed); err != nil {
			return nil, err
		}
		n.At, n.Handed = time.UnixMicro(at).UTC(), handed
		out = append(out, n)
	}
	return out, rows.Err()
}

// QuarantinedCount is how many deliveries of a link were not taken and are kept.
func (s *Service) QuarantinedCount(ctx context.Context, link string) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM quarantine WHERE link = ?`, link).Scan(&n)
	return n, err
}

// DropQuarantine forgets what a link brought and was not taken; for a link that is removed.
func (s *Service) DropQuarantine(tx *db.Tx, link string) error {
	_, err := tx.Exec(`DELETE FROM quarantine WHERE link = ?`, link)
	return err
}

// Retake tries again what waits in a link's quarantine for something that may have come since, such as a key, and says
// how many of these are held now.
func (s *Service) Retake(ctx context.Context, from Origin) (int, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT handed FROM quarantine WHERE link = ? AND state = 'quarantined' AND handed IS NOT NULL ORDER BY seq LIMIT ?`, from.Link, quarantineRows)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var batch []Handed
	for rows.Next() {
		var raw []byte
		var h Handed
		if err := rows.Scan(&raw); err != nil {
			return 0, err
		}
		if json.Unmarshal(raw, &h) == nil {
			batch = append(batch, h)
		}
	}
	if err := rows.Err(); err != nil || len(batch) == 0 {
		return 0, err
	}
	verdicts, err := s.Take(ctx, from, batch, nil)
	if err != nil {
		return 0, err
	}
	taken := 0
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		taken = 0
		for i, v := range verdicts {
			if v.State == stateRefused || v.State == stateQuarantined {
				continue
			}
			taken++
			if _, err := tx.Exec(`DELETE FROM quarantine WHERE link = ? AND community = ? AND seq = ?`, from.Link, string(batch[i].Community), int64(v.Seq)); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}
