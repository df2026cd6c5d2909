package peers

import (
	"context"
	"net/url"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
)

// retry hands up once more what the home could not judge, since it did not know a key yet: when a connection begins, and
// then as often as the parts speak. What is refused for another reason comes again when that changes: a full disk and a
// limit refuse whole requests, which the pusher repeats; a fingerprint that was confirmed and a role begin a generation.
func (y *cycle) retry(ctx context.Context, lineage string) error {
	now := y.s.o.Steady() + 1
	if y.tried != 0 && now-y.tried < y.s.o.Pace.Sync {
		return nil
	}
	y.tried = now
	all, err := y.waiting(ctx)
	if err != nil {
		return err
	}
	for len(all) > 0 {
		n := some(all)
		if err := y.first(ctx); err != nil {
			return err
		}
		verdicts, err := y.deliver(ctx, "push", url.Values{"lineage": {lineage}, "again": {"1"}}, all[:n])
		if err != nil {
			if patient(err) {
				return nil // another time
			}
			return err
		}
		if err := y.answered(ctx, all[:n], verdicts); err != nil {
			return err
		}
		if err := y.s.o.DB.Write(ctx, func(tx *db.Tx) error { return release(tx, y.link.ID, verdicts, true) }); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// waiting is what the home could not judge, as far as it still stands here; the rest is forgotten.
func (y *cycle) waiting(ctx context.Context) (out []exchange.Handed, err error) {
	seqs, err := readWaits(y.s.read(ctx), y.link.ID)
	if err != nil {
		return nil, err
	}
	var gone []exchange.Verdict
	for _, seq := range seqs {
		rows, _, err := y.s.o.Journal.Scan(ctx, seq-1, 1)
		if err != nil {
			return nil, err
		}
		var d journal.Delivery
		if len(rows) == 1 && rows[0].Seq == seq {
			d = rows[0].Delivery
		}
		h, ok, err := y.s.o.Exchange.HandUp(ctx, d, y.link.Org)
		if err != nil {
			return nil, err
		}
		if !ok {
			gone = append(gone, exchange.Verdict{Seq: seq, ID: d.ID})
		} else if h.Level <= most(y.link.Trusted) {
			out = append(out, h)
		}
	}
	if len(gone) > 0 {
		err = y.s.o.DB.Write(ctx, func(tx *db.Tx) error { return release(tx, y.link.ID, gone, true) })
	}
	return out, err
}

func readWaits(q db.Querier, link string) (seqs []polder.Seq, err error) {
	rows, err := q.Query(`SELECT seq FROM peers_quarantine WHERE link = ? AND ours = 1 AND waits = 1 ORDER BY seq`, link)
	return db.All(func(r db.Row) (n polder.Seq, err error) { err = r.Scan(&n); return n, err }, rows, err)
}
