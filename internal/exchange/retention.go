package exchange

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
)

// This file is what rule X19 asks: erasure, also of what was withdrawn before, and the time that a community keeps what
// is shared in it.

// The shortest and the longest time that a community may set, in days; 0 keeps everything.
const (
	MinRetention = 7
	MaxRetention = 3650
)

const (
	retentionJob   = "exchange.retention"
	retentionEvery = 24 * time.Hour
	retentionBatch = 50  // ids in one transaction, so that shares need not wait
	retentionScan  = 500 // rows in one look
)

// erase removes the bytes of deliveries, which are among rows, and the files that go with them.
func (s *Service) erase(tx *db.Tx, seqs []polder.Seq, rows []journal.Delivery) error {
	var gone, kept []journal.Delivery
	for _, d := range rows {
		if slices.Contains(seqs, d.Seq) {
			gone = append(gone, d)
		} else {
			kept = append(kept, d)
		}
	}
	if err := s.dropAttachments(tx, gone, kept); err != nil {
		return err
	}
	return s.journal.Erase(tx, seqs)
}

// tellErased appends withdrawals that say that the bytes of what was withdrawn before are gone, one for each version, to
// those who had it: nodes that hold a copy of these bytes learn of it so.
func (s *Service) tellErased(tx *db.Tx, by polder.OrgID, rows []journal.Delivery) (polder.Seq, error) {
	var batch []journal.Delivery
	for _, d := range rows {
		version := d.Version
		if version == "" {
			version = sortableSeq(d.Seq)
		}
		i := slices.IndexFunc(batch, func(b journal.Delivery) bool { return b.Line == d.Line && b.Version == version })
		if i >= 0 {
			batch[i].Nominal = batch[i].Nominal.Union(d.Reached)
			batch[i].Reached = batch[i].Nominal
			continue
		}
		gone := journal.Delivery{Kind: journal.Withdrawn, Community: d.Community, Line: d.Line, ID: d.ID, Version: version, Sharer: by,
			Level: d.Level, Nominal: d.Reached, Reached: d.Reached, Custodian: d.Custodian, Erased: true}
		if d.Version == "" {
			gone.Digest = d.Digest
		}
		batch = append(batch, gone)
	}
	batch = slices.DeleteFunc(batch, func(d journal.Delivery) bool { return d.Reached.Empty() })
	written, err := s.journal.Append(tx, batch)
	if err != nil || len(written) == 0 {
		return 0, err
	}
	return written[len(written)-1].Seq, nil
}

// eraseWithdrawn erases an object that was withdrawn before, if the steward could see it.
func (s *Service) eraseWithdrawn(tx *db.Tx, a polder.Actor, m polder.Membership, w Withdrawal) (top polder.Seq, err error) {
	rows, err := s.journal.WithdrawnOf(tx, m.Community.ID, w.ID)
	if err != nil {
		return 0, err
	}
	var lines []int64
	for _, d := range rows {
		if d.Reached.Contains(a.Org) {
			lines = append(lines, d.Line)
		}
	}
	var seqs []polder.Seq
	var told []journal.Delivery
	for _, d := range rows {
		if slices.Contains(lines, d.Line) {
			seqs, told = append(seqs, d.Seq), append(told, d)
		}
	}
	if len(seqs) == 0 {
		return 0, polder.Errorf(polder.NotFound, "no such object, or no such version of it, in this community")
	}
	if err := s.erase(tx, seqs, rows); err != nil {
		return 0, err
	}
	if top, err = s.tellErased(tx, a.Org, told); err != nil {
		return 0, err
	}
	e := audit.EntryOf(a)
	e.Action, e.Community, e.Object, e.Blind, e.Narrow = "erase", m.Community.ID, w.ID, true, narrow(rows)
	e.Detail = map[string]string{"versions": itoa(len(seqs))}
	return top, s.audit.Append(tx, e)
}

// Retention is how many days a community keeps what is shared in it; 0 is without end.
func (s *Service) Retention(ctx context.Context, a polder.Actor, community string) (days int, err error) {
	m, err := s.membership(ctx, a, community)
	if err != nil {
		return 0, err
	}
	err = s.db.Read().QueryRowContext(ctx, `SELECT days FROM retention WHERE community = ?`, string(m.Community.ID)).Scan(&days)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return days, err
}

// SetRetention sets how many days a community keeps what is shared in it; 0 is without end. Only its stewards may. What
// is older is withdrawn and erased within a day, again and again.
func (s *Service) SetRetention(ctx context.Context, a polder.Actor, community string, days int) error {
	m, err := s.membership(ctx, a, community)
	switch {
	case err != nil:
		return err
	case m.Right(a) < polder.RoleSteward:
		return polder.Errorf(polder.Forbidden, "only a steward of the community says how long things are kept")
	case days != 0 && (days < MinRetention || days > MaxRetention):
		return polder.Errorf(polder.Invalid, "days: give 0 for no end, or a number from %d to %d", MinRetention, MaxRetention)
	case s.jobs == nil:
		return polder.Errorf(polder.Unavailable, "this node runs no daily work")
	}
	c := m.Community.ID
	return s.db.Write(ctx, func(tx *db.Tx) error {
		// done begins anew: a shorter time reaches what a longer one left.
		_, err := tx.Exec(`INSERT INTO retention (community, days, done) VALUES (?, ?, 0) ON CONFLICT (community) DO UPDATE SET days = excluded.days, done = 0`, string(c), days)
		if err != nil {
			return err
		}
		if err := s.scheduleRetention(tx, c, days, s.now().Add(time.Hour)); err != nil {
			return err
		}
		e := audit.EntryOf(a)
		e.Action, e.Community, e.Detail = "retention", c, map[string]string{"days": itoa(days)}
		return s.audit.Append(tx, e)
	})
}

func (s *Service) scheduleRetention(tx *db.Tx, c polder.CommunityID, days int, at time.Time) error {
	key := retentionJob + ":" + string(c)
	if days == 0 {
		return s.jobs.Cancel(tx, key)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.jobs.Schedule(tx, jobs.Job{Key: key, Kind: retentionJob, At: at, Payload: payload})
}

// retain is the daily job of one community.
func (s *Service) retain(ctx context.Context, job jobs.Job) error {
	var c polder.CommunityID
	if err := json.Unmarshal(job.Payload, &c); err != nil {
		return err
	}
	var days int
	var done int64
	switch err := s.db.Read().QueryRowContext(ctx, `SELECT days, done FROM retention WHERE community = ?`, string(c)).Scan(&days, &done); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil || days == 0:
		return err
	}
	limit := polder.SeqAt(s.now().Add(-time.Duration(days) * 24 * time.Hour))
	if err := s.expire(ctx, c, polder.Seq(done), limit); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		return s.scheduleRetention(tx, c, days, s.now().Add(retentionEvery))
	})
}

// expire withdraws and erases what was delivered in a community after done and before limit. It keeps its place, so
// that it can be cut off at any moment.
func (s *Service) expire(ctx context.Context, c polder.CommunityID, done, limit polder.Seq) error {
	for done < limit-1 {
		rows, next, err := s.journal.Scan(ctx, done, retentionScan)
		if err != nil {
			return err
		}
		var ids []string
		for _, d := range rows {
			if d.Community == c && d.Kind == journal.Object && d.Seq < limit && d.Raw != nil && !slices.Contains(ids, d.ID) {
				ids = append(ids, d.ID)
			}
		}
		for batch := range slices.Chunk(ids, retentionBatch) {
			if err := s.expireBatch(ctx, c, batch, limit); err != nil {
				return err
			}
		}
		if next == done {
			return nil
		}
		done = min(next, limit-1)
		if err := s.db.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE retention SET done = ? WHERE community = ? AND done < ?`, int64(done), string(c), int64(done))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) expireBatch(ctx context.Context, c polder.CommunityID, ids []string, limit polder.Seq) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		for _, id := range ids {
			if err := s.expireObject(tx, c, id, limit); err != nil {
				return err
			}
		}
		return nil
	})
}

// expireObject takes out the versions of an object that nobody got since limit, line by line, and the bytes of those
// that were withdrawn before it.
func (s *Service) expireObject(tx *db.Tx, c polder.CommunityID, id string, limit polder.Seq) error {
	if err := s.eraseOld(tx, c, id, limit); err != nil {
		return err
	}
	for skipped := map[int64]bool{}; ; {
		held, err := s.journal.History(tx, c, []string{id})
		if err != nil {
			return err
		}
		rows := held[id]
		history := make([]policy.Delivery, len(rows))
		for i, d := range rows {
			history[i] = known(d)
		}
		old := slices.DeleteFunc(expired(history, limit), func(d policy.Delivery) bool { return skipped[d.Line] })
		if len(old) == 0 {
			return nil
		}
		isOld := func(seq polder.Seq) bool {
			return slices.ContainsFunc(old, func(o policy.Delivery) bool { return o.Seq == seq })
		}
		first := old[0]
		effect, err := policy.Withdraw(history, policy.Withdrawal{By: reachedBy(first), Steward: true,
			Which: func(d policy.Delivery) bool { return d.Line == first.Line && isOld(d.Seq) }}, rows[0].Version == "")
		if polder.KindOf(err) == polder.NotFound {
			s.log.Warn("what is past its retention could not be taken out", "community", string(c), "object", id)
			skipped[first.Line] = true
			continue
		}
		if err != nil {
			return err
		}
		// What would be delivered again to others, and is as old, goes in the next round anyway.
		effect.Again = slices.DeleteFunc(effect.Again, func(g policy.Again) bool { return isOld(g.Of) })
		m := polder.Membership{}
		m.Community.ID = c
		if _, err := s.takeOut(tx, polder.Actor{}, m, Withdrawal{ID: id, Erase: true, expired: true}, rows, effect); err != nil {
			return err
		}
	}
}

// reachedBy is somebody whom a delivery reached: who shared it, unless that is another node.
func reachedBy(d policy.Delivery) polder.OrgID {
	if who := d.Reached.Listed(); !d.Reached.Except() && !d.Reached.Contains(d.Sharer) && len(who) > 0 {
		return who[0]
	}
	return d.Sharer
}

// expired are the deliveries of versions of which none is from limit on.
func expired(history []policy.Delivery, limit polder.Seq) (old []policy.Delivery) {
	for _, d := range history {
		young := slices.ContainsFunc(history, func(o policy.Delivery) bool {
			if d.Version == "" {
				return o.Seq >= limit && o.Digest == d.Digest && o.Level == d.Level
			}
			return o.Seq >= limit && o.Line == d.Line && o.Version == d.Version
		})
		if !young {
			old = append(old, d)
		}
	}
	return old
}

// eraseOld erases the bytes of what was withdrawn and is older than limit.
func (s *Service) eraseOld(tx *db.Tx, c polder.CommunityID, id string, limit polder.Seq) error {
	rows, err := s.journal.WithdrawnOf(tx, c, id)
	if err != nil {
		return err
	}
	var seqs []polder.Seq
	var told []journal.Delivery
	for _, d := range rows {
		if d.Seq < limit {
			seqs, told = append(seqs, d.Seq), append(told, d)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	if err := s.erase(tx, seqs, rows); err != nil {
		return err
	}
	if _, err := s.tellErased(tx, "", told); err != nil {
		return err
	}
	e := audit.Entry{Action: "erase.retention", Community: c, Object: id, Blind: true, Narrow: narrow(rows), Detail: map[string]string{"versions": itoa(len(seqs))}}
	return s.audit.Append(tx, e)
}
