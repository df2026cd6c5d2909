package peers

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
)

// What was refused over links stands in the exchange's table quarantine, written in the transaction that judged it: under
// the link where this node takes, under the link's token where it accepts. This file adds what the home refused of what
// this node pushed, and reads it all.

// refusalsInARow is how many deliveries in a row are refused before a link stands still.
const refusalsInARow = 100

// quarantineRows bounds what is kept of a link.
const quarantineRows = 1000

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

// keepRefused keeps what the home refused of a batch. The bytes lie in this node's own log.
func keepRefused(tx *db.Tx, link string, batch []exchange.Handed, verdicts []exchange.Verdict, now time.Time) error {
	sent := bySeq(batch)
	for _, v := range verdicts {
		h, ok := sent[v.Seq]
		if !ok || !refuses(v) {
			continue
		}
		if _, err := tx.Exec(`INSERT INTO quarantine (link, community, seq, object, state, reason, at, handed) VALUES (?, ?, ?, ?, 'refused', ?, ?, NULL)
			ON CONFLICT (link, community, seq) DO UPDATE SET reason = excluded.reason, at = excluded.at`,
			link, h.Community, -h.Seq, clip(h.ID, maxName), clip("the home did not take it: "+v.Reason, 500), micros(now)); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`DELETE FROM quarantine WHERE link = ?1 AND n <= (SELECT n FROM quarantine WHERE link = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)`, link, quarantineRows)
	return err
}

// refuses tells whether a verdict is one that speaks against the sender.
func refuses(v exchange.Verdict) bool { return v.State == "refused" || v.State == "quarantined" }

// readQuarantine is what was refused over a link, the newest first. Numbers of our own stand there below zero.
func readQuarantine(q asker, l Link, limit int) (out []Refused, err error) {
	rows, err := q.Query(`SELECT abs(seq), community, object, reason, at FROM quarantine WHERE link IN (?, nullif(?, '')) ORDER BY n DESC LIMIT ?`, l.ID, l.Token, limit)
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
	return readQuarantine(s.read(ctx), l, quarantineRows)
}
