package peers

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
)

// refusalsInARow is how many deliveries in a row are refused before a link stands still.
const refusalsInARow = 100

// Bounds of what is kept of a link's refused deliveries.
const (
	quarantineRows  = 1000
	quarantineBytes = 64 << 10
)

// Refused is a delivery that was not taken: by this node, or of this node's by the home.
type Refused struct {
	Seq       polder.Seq         `json:"seq"` // the sender's
	Community polder.CommunityID `json:"community"`
	ID        string             `json:"id"`
	Reason    string             `json:"reason"`
	At        time.Time          `json:"at"`
}

func bySeq(batch []exchange.Handed) map[polder.Seq]exchange.Handed {
	out := make(map[polder.Seq]exchange.Handed, len(batch))
	for _, h := range batch {
		out[h.Seq] = h
	}
	return out
}

// keepRefused keeps what was not taken of a batch: by this node, or where ours by the home; then the bytes lie in this
// node's own log.
func keepRefused(tx *db.Tx, link string, batch []exchange.Handed, verdicts []exchange.Verdict, ours bool, now time.Time) error {
	sent := bySeq(batch)
	for _, v := range verdicts {
		h, ok := sent[v.Seq]
		if !ok || !refuses(v) {
			continue
		}
		raw, reason := []byte(h.Raw), v.Reason
		if ours {
			reason = "the home did not take it: " + reason
		}
		if ours || len(raw) > quarantineBytes {
			raw = nil
		}
		if _, err := tx.Exec(`INSERT INTO peers_quarantine (link, ours, seq, community, object, reason, raw, at, waits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (link, ours, community, seq) DO UPDATE SET reason = excluded.reason, at = excluded.at, waits = excluded.waits`,
			link, ours, h.Seq, h.Community, clip(h.ID, maxName), clip(reason, 500), raw, micros(now), ours && v.State == "quarantined"); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`DELETE FROM peers_quarantine WHERE link = ?1 AND n <= (SELECT n FROM peers_quarantine WHERE link = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)`, link, quarantineRows)
	return err
}

// release takes out of the list what was taken after all: by this node, or where ours by the home.
func release(tx *db.Tx, link string, verdicts []exchange.Verdict, ours bool) error {
	for _, v := range verdicts {
		if refuses(v) {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM peers_quarantine WHERE link = ? AND ours = ? AND seq = ? AND (object = ? OR ours = 1)`, link, ours, v.Seq, v.ID); err != nil {
			return err
		}
	}
	return nil
}

// refuses tells whether a verdict is one that speaks against the sender.
func refuses(v exchange.Verdict) bool { return v.State == "refused" || v.State == "quarantined" }

// readQuarantine is what was refused over a link, the newest first.
func readQuarantine(q db.Querier, link string, limit int) (out []Refused, err error) {
	rows, err := q.Query(`SELECT seq, community, object, reason, at FROM peers_quarantine WHERE link = ? ORDER BY n DESC LIMIT ?`, link, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r Refused
		var at int64
		if err := rows.Scan(&r.Seq, &r.Community, &r.ID, &r.Reason, &at); err != nil {
			return nil, err
		}
		r.At = timeOf(at)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Quarantine is what was refused over a link, the newest first. Only an administrator of the node reads it.
func (s *Service) Quarantine(ctx context.Context, by polder.Actor, link string) ([]Refused, error) {
	l, err := s.Link(ctx, by, link)
	if err != nil {
		return nil, err
	}
	return readQuarantine(s.read(ctx), l.ID, quarantineRows)
}
