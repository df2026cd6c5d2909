package journal

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

const isWidening = `nominal <> reached AND kind = 0 AND withdrawn = 0`

// WithWidenings adds to what a reader may see of the numbers above after, up to next, the deliveries that reach it no more
// but widen for it what it has: to a wider level, or from some to everybody; of its own all. Readers of this node see
// that at the first delivery of the version; a node that keeps a copy has taken that already. At most limit come back, in
// order, with the number to go on from; more tells that it lies below next.
func (j *Journal) WithWidenings(ctx context.Context, sight polder.Sight, batch []Delivery, after, next polder.Seq, limit int) (out []Delivery, upto polder.Seq, more bool, err error) {
	if polder.Seq(j.widening.Load()) <= after {
		return batch, next, false, nil
	}
	wider, err := j.widenings(ctx, sight, after, next, limit)
	if err != nil || len(wider) == 0 {
		return batch, next, false, err
	}
	out = slices.Concat(batch, wider)
	slices.SortFunc(out, func(a, b Delivery) int { return int(a.Seq - b.Seq) })
	if len(out) > limit || len(wider) == limit {
		out = out[:min(limit, len(out))]
		return out, out[len(out)-1].Seq, true, nil
	}
	return out, next, false, nil
}

// lastWidening reads which number the last delivery that widens has.
func (j *Journal) lastWidening(ctx context.Context) error {
	var last int64
	err := j.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM delivery INDEXED BY delivery_widening WHERE `+isWidening).Scan(&last)
	j.widening.Store(last)
	return err
}

func (j *Journal) widenings(ctx context.Context, sight polder.Sight, after, next polder.Seq, limit int) (out []Delivery, err error) {
	seqs, err := j.addressed(ctx, sight, after, next)
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk(seqs, limit) {
		list, err := json.Marshal(chunk)
		if err != nil {
			return nil, err
		}
		rows, err := j.db.Read().QueryContext(ctx, `SELECT `+columns+` FROM json_each(?) k CROSS JOIN delivery d ON d.seq = k.value LEFT JOIN body b ON b.id = d.body ORDER BY d.seq`, string(list))
		if err != nil {
			return nil, err
		}
		all, err := j.scan(rows)
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			widens, err := j.widens(ctx, sight.Org, d)
			if err != nil {
				return nil, err
			}
			if widens && d.Gone == 0 && sight.Allows(d.Community, d.Nominal) {
				if out = append(out, d); len(out) == limit {
					return out, nil
				}
			}
		}
	}
	return out, nil
}

// addressed are the numbers of deliveries that address the reader and do not reach it.
func (j *Journal) addressed(ctx context.Context, sight polder.Sight, after, next polder.Seq) (seqs []int64, err error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT seq, community, nominal, reached FROM delivery INDEXED BY delivery_widening
		WHERE `+isWidening+` AND seq > ? AND seq <= ? ORDER BY seq`, int64(after), int64(min(next, j.live.top())))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, nominal, reached int64
		var c polder.CommunityID
		if err := rows.Scan(&seq, &c, &nominal, &reached); err != nil {
			return nil, err
		}
		if sight.Allows(c, j.scopes.audience(nominal)) && !j.scopes.audience(reached).Contains(sight.Org) {
			seqs = append(seqs, seq)
		}
	}
	return seqs, rows.Err()
}

// widens tells whether org has the version that d brings, in d's line, and d says something new about it.
func (j *Journal) widens(ctx context.Context, org polder.OrgID, d Delivery) (bool, error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT level, nominal, reached FROM delivery WHERE uuid = ? AND community = ? AND line = ? AND body = ? AND withdrawn = 0 AND seq < ?`,
		mustUUID(d.ID), string(d.Community), d.Line, d.body, int64(d.Seq))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	has, said, everyone := false, false, d.Nominal.Equal(polder.Everyone())
	for rows.Next() {
		var level stix.Marking
		var nominal, reached int64
		if err := rows.Scan(&level, &nominal, &reached); err != nil {
			return false, err
		}
		to := j.scopes.audience(nominal)
		has = has || j.scopes.audience(reached).Contains(org)
		said = said || !d.Level.Wider(level) && (to.Equal(polder.Everyone()) || !everyone && to.Contains(org))
	}
	return has && (!said || d.Sharer == org), rows.Err()
}
