package exchange

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
)

// withdraw obeys a withdrawal of the home: what the organisation of the link sees of the id goes, and with Erased the
// bytes, also of what was withdrawn before. What never left the organisation stays. The same withdrawal is obeyed once.
func (t *taking) withdraw(h Handed) (string, error) {
	if err := t.flush(); err != nil {
		return "", err
	}
	which, err := whichOf(h)
	if err != nil {
		return "", err
	}
	done, err := obeyed(t.tx, t.from.Peer+" "+t.from.Org, h.Seq) // each organisation of this node is told by a link of its own
	if err != nil || done {
		return stateWithdrawn, err
	}
	if err := t.noteWithdrawn(h); err != nil {
		return "", err
	}
	p, me := t.plans[t.open], t.from.Org
	anew, err := t.sharedAnew(p.community, h, which)
	if err != nil {
		return "", err
	}
	shared := func(d policy.Delivery) bool {
		return which(d) && !(d.Sharer == me && d.Nominal.Equal(polder.Only(me))) && !anew[d.Seq]
	}
	if err := t.s.obey(t.tx, t.from.Peer, me, p.community, h, shared); err != nil {
		return "", err
	}
	return stateWithdrawn, t.read(p, []string{h.ID})
}

// noteWithdrawn writes down what the home withdrew, with its number there.
func (t *taking) noteWithdrawn(h Handed) error {
	version := ""
	if h.Version != "" {
		v, err := statedVersion(h.Version)
		if err != nil {
			return err
		}
		version = v
	}
	_, err := t.tx.Exec(`INSERT INTO peer_withdrawn (peer, community, object, version, record, seq) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (peer, community, object, version, record) DO UPDATE SET seq = max(seq, excluded.seq)`,
		string(t.from.Peer+" "+t.from.Org), string(h.Community), h.ID, version, append([]byte{}, h.Record...), int64(h.Seq))
	return err
}

// keptOut refuses what a home brings back out of its backup and had withdrawn since: by its own numbers the withdrawal
// came after. What is shared there again, now, has a higher number than the backup.
func (t *taking) keptOut(a *arrival, version string, digest [32]byte) error {
	h := a.handed
	if t.individual || h.Seq > t.from.Restored {
		return nil
	}
	err := t.tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM peer_withdrawn WHERE peer = ?1 AND community = ?2 AND object = ?3 AND seq > ?4
		AND (version = ?5 AND ?5 <> '' OR ?5 = '' AND record = ?6 OR version = '' AND length(record) = 0))`,
		string(t.from.Peer+" "+t.from.Org), string(h.Community), h.ID, int64(h.Seq), version, digest[:]).Scan(&a.gone)
	if err == nil && a.gone {
		err = polder.Errorf(polder.Conflict, "it was withdrawn after the backup from which the home was restored, and stays withdrawn here; tell the home, where its custodian or a steward withdraws it again")
	}
	return err
}

// sharedAnew are the deliveries that the organisation of the link shared here after it withdrew them here: the home's word of
// that withdrawal, which comes back later, is not about them. A log that was restored says so of what came after that
// alone: before, the withdrawal may be another, which it has lost.
func (t *taking) sharedAnew(c polder.CommunityID, h Handed, which func(policy.Delivery) bool) (map[polder.Seq]bool, error) {
	if !h.Mine {
		return nil, nil
	}
	version, err := statedVersion(cmp.Or(h.Version, "1970-01-01T00:00:00Z"))
	if err != nil {
		return nil, err
	}
	after, err := t.s.journal.WithdrewAt(t.tx, c, h.ID, version, h.Record, t.from.Org)
	if err != nil || after == 0 {
		return nil, err
	}
	held, err := t.s.journal.History(t.tx, c, []string{h.ID})
	if err != nil {
		return nil, err
	}
	out := map[polder.Seq]bool{}
	for _, d := range held[h.ID] {
		if d.Sharer != t.from.Org || d.Seq < after || !which(known(d)) {
			continue
		}
		var back bool
		if err := t.tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM peer_echo WHERE seq = ?)`, int64(d.Seq)).Scan(&back); err != nil {
			return nil, err
		}
		out[d.Seq] = !back
	}
	return out, nil
}

// obeyed notes a withdrawal that somebody handed over, and tells whether it was noted before.
func obeyed(tx *db.Tx, by polder.OrgID, seq polder.Seq) (bool, error) {
	res, err := tx.Exec(`INSERT INTO peer_withdrawal (peer, seq) VALUES (?, ?) ON CONFLICT DO NOTHING`, string(by), int64(seq))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 0, err
}

// whichOf is the test which deliveries a handed withdrawal is about: of an observable the record with the same content
// and level, of all else the version, or all.
func whichOf(h Handed) (func(policy.Delivery) bool, error) {
	version := ""
	if h.Version != "" {
		v, err := statedVersion(h.Version)
		if err != nil {
			return nil, err
		}
		version = v
	}
	return func(d policy.Delivery) bool {
		if d.Version == "" {
			return len(h.Record) == 0 || d.Level == h.Level && bytes.Equal(d.Digest[:], h.Record)
		}
		return version == "" || d.Version == version
	}, nil
}

// obey takes out what org sees of an id, and which holds true for, on the word of by.
func (s *Service) obey(tx *db.Tx, by, org polder.OrgID, c polder.CommunityID, h Handed, which func(policy.Delivery) bool) error {
	held, err := s.journal.History(tx, c, []string{h.ID})
	if err != nil {
		return err
	}
	rows := held[h.ID]
	history := make([]policy.Delivery, len(rows))
	for i, d := range rows {
		history[i] = known(d)
	}
	if len(rows) > 0 {
		effect, err := policy.Withdraw(history, policy.Withdrawal{By: org, Steward: true, Which: which}, rows[0].Version == "")
		if err != nil && polder.KindOf(err) != polder.NotFound {
			return err
		}
		if err == nil {
			m := polder.Membership{Community: polder.Community{ID: c}}
			if _, err := s.takeOut(tx, polder.Actor{Org: by}, m, Withdrawal{ID: h.ID, Erase: h.Erased}, rows, effect); err != nil {
				return err
			}
		}
	}
	if !h.Erased {
		return nil
	}
	return s.eraseGone(tx, org, c, h.ID, which)
}

// eraseGone erases the bytes of what org saw of an id and was withdrawn before.
func (s *Service) eraseGone(tx *db.Tx, org polder.OrgID, c polder.CommunityID, id string, which func(policy.Delivery) bool) error {
	rows, err := s.journal.WithdrawnOf(tx, c, id)
	if err != nil {
		return err
	}
	var lines []int64
	for _, d := range rows {
		if d.Reached.Contains(org) && which(known(d)) {
			lines = append(lines, d.Line)
		}
	}
	var seqs []polder.Seq
	var told []journal.Delivery
	for _, d := range rows {
		if slices.Contains(lines, d.Line) && which(known(d)) {
			seqs, told = append(seqs, d.Seq), append(told, d)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	if err := s.erase(tx, seqs, rows); err != nil {
		return err
	}
	_, err = s.tellErased(tx, "", told)
	return err
}
