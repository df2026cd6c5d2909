package journal

import (
	"context"

	"github.com/polder-exchange/polder"
)

// This file is for readers of this process that keep something which can be rebuilt from number 0, such as a search
// index. They belong to no organisation and see every row, so nothing here is a way out: what such a reader finds is
// asked for again with [Journal.Page], for the reader who gets it.

// scanBytes is about how many bytes of objects one scan returns at most, so that large objects do not fill the memory.
const scanBytes = 16 << 20

// Scanned is a delivery with the id of the scope that it reaches; 0 reaches nobody.
type Scanned struct {
	Delivery
	Scope int64
}

// Scan returns at most limit deliveries above after, of all communities, in order, withdrawals and withdrawn ones
// included, and the number to go on from. It is for rebuildable readers of this process only, never an exit. A damaged
// row is left out and named by [Journal.Damage].
func (j *Journal) Scan(ctx context.Context, after polder.Seq, limit int) (out []Scanned, next polder.Seq, err error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT `+columns+` FROM delivery d LEFT JOIN body b ON b.id = d.body
		WHERE d.seq > ? AND d.seq <= ? ORDER BY d.seq LIMIT ?`, int64(after), int64(j.live.top()), limit)
	if err != nil {
		return nil, after, err
	}
	defer rows.Close()
	next = after
	for size := 0; size < scanBytes && rows.Next(); {
		d, hash, err := j.scanOne(rows)
		if err != nil {
			return nil, after, err
		}
		next = d.Seq
		size += len(d.Raw)
		if what := d.wrong(hash, true); what != "" {
			_ = j.damage(d.Seq, what) // it is named there; everything else can still be found
			continue
		}
		out = append(out, Scanned{d, j.scopes.idOf(d.Community, d.Reached)})
	}
	return out, next, rows.Err()
}

// Headers is like [Journal.Scan] without the objects themselves, so that an erased one reads like any other. A damaged
// row ends it with an error: what is made of all rows must not be made of fewer.
func (j *Journal) Headers(ctx context.Context, after polder.Seq, limit int) ([]Delivery, error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT `+Query{NoBodies: true}.columns()+` FROM delivery d LEFT JOIN body b ON b.id = d.body
		WHERE d.seq > ? AND d.seq <= ? ORDER BY d.seq LIMIT ?`, int64(after), int64(j.live.top()), limit)
	if err != nil {
		return nil, err
	}
	return j.scanned(rows, false)
}

// HeadersOf are the deliveries of an object, of all communities, in order, withdrawals and withdrawn ones included. Like
// [Journal.Scan] it is no exit.
func (j *Journal) HeadersOf(ctx context.Context, id string) (out []Delivery, err error) {
	u, err := uuidOf(id)
	if err != nil {
		return nil, err
	}
	rows, err := j.db.Read().QueryContext(ctx, `SELECT `+Query{NoBodies: true}.columns()+` FROM delivery d LEFT JOIN body b ON b.id = d.body
		WHERE d.uuid = ? ORDER BY d.seq LIMIT 10000`, u)
	if err != nil {
		return nil, err
	}
	all, err := j.scanned(rows, false)
	for _, d := range all {
		if d.ID == id {
			out = append(out, d)
		}
	}
	return out, err
}

// TakenBy lists the deliveries that withdrawal w took out. It is for those who use [Journal.Scan].
func (j *Journal) TakenBy(ctx context.Context, w Delivery) (seqs []polder.Seq, err error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT seq FROM delivery WHERE uuid = ? AND community = ? AND withdrawn = ?`,
		mustUUID(w.ID), string(w.Community), int64(w.Seq))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return nil, err
		}
		seqs = append(seqs, polder.Seq(seq))
	}
	return seqs, rows.Err()
}

// Custody is a line that got another custodian.
type Custody struct {
	N         int64 // its place among all; a cursor for who follows
	Community polder.CommunityID
	Line      int64
	Custodian polder.OrgID
}

// CustodyAfter lists at most limit changes of custody above after, in their order. It is for those who use [Journal.Scan].
func (j *Journal) CustodyAfter(ctx context.Context, after int64, limit int) (out []Custody, err error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT n, community, line, custodian FROM custody WHERE n > ? ORDER BY n LIMIT ?`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Custody
		if err := rows.Scan(&c.N, &c.Community, &c.Line, &c.Custodian); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Scopes lists the ids of the scopes that sight allows: what lies in others is not for this reader.
func (j *Journal) Scopes(sight polder.Sight) []int64 { return j.scopes.seenBy(sight, 0) }

// Lineage names the log; a restored one has another.
func (j *Journal) Lineage(ctx context.Context) (string, error) {
	lineage, _, err := Describe(ctx, j.db.Read())
	return lineage, err
}

// idOf is the id of a scope that is known; 0 for nobody.
func (s *scopes) idOf(c polder.CommunityID, a polder.Audience) int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byKey[[2]string{string(c), a.String()}]
}

// Began is the last number that a restored log brought with it; 0 for a log that was never restored. What readers got with
// a higher number before it was restored is missing here.
func (j *Journal) Began(ctx context.Context) (since polder.Seq, err error) {
	err = j.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM delivery WHERE seq <= (SELECT max(since) FROM lineage)`).Scan(&since)
	return since, err
}
