package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

const insertDelivery = `INSERT INTO delivery (seq, kind, community, line, type, uuid, version, given, sharer, level, revoked, nominal, reached, digest, body, hash, chain, custodian, last)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Append numbers the deliveries, writes them in the caller's transaction and returns them as written. They reach
// followers after the commit. Batches are the caller's: at most 1,000 a call keeps the writer's hold short.
func (j *Journal) Append(tx *db.Tx, batch []Delivery) ([]Delivery, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	seq, chain, err := j.lastIn(tx)
	if err != nil {
		return nil, err
	}
	out := make([]Delivery, len(batch))
	for i, d := range batch {
		seq = j.next(seq)
		d.Seq = seq
		switch {
		case d.Line == 0 || d.Line == -int64(i+1):
			d.Line = int64(seq)
		case d.Line < 0:
			d.Line = out[-d.Line-1].Line
		}
		if d.BodyOf < 0 {
			d.BodyOf = out[-d.BodyOf-1].Seq
		}
		d.OwnLevel = d.Level
		out[i] = d
	}
	w := &writer{j: j, tx: tx, top: seq, scopes: map[[2]string]int64{}, chain: chain}
	for i := range out {
		if err := w.write(&out[i]); err != nil {
			return nil, err
		}
	}
	for _, d := range out {
		if d.Kind == Object && !d.Nominal.Equal(d.Reached) {
			tx.OnCommit(func() { j.widening.Store(int64(d.Seq)) })
		}
	}
	tx.OnCommit(func() { j.published(out, w.chain) })
	return out, nil
}

// next is the number after last: now, or a little more than last (X11). It never reaches 2^53.
func (j *Journal) next(last polder.Seq) polder.Seq {
	step := j.step()
	if fail.Bug("no-stride") {
		step = 1
	}
	now := polder.SeqAt(j.now())
	if fail.Bug("clock-order") {
		return now
	}
	return max(now, last+polder.Seq(step))
}

func (j *Journal) lastIn(tx *db.Tx) (seq polder.Seq, chain [32]byte, err error) {
	var raw []byte
	err = tx.QueryRow(`SELECT seq, chain FROM delivery ORDER BY seq DESC LIMIT 1`).Scan(&seq, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		var since int64
		err = tx.QueryRow(`SELECT max(since) FROM lineage`).Scan(&since)
		return polder.Seq(since), chain, err
	}
	var since int64
	if err == nil {
		err = tx.QueryRow(`SELECT max(since) FROM lineage`).Scan(&since)
	}
	copy(chain[:], raw)
	return max(seq, polder.Seq(since)), chain, err
}

// writer writes one batch.
type writer struct {
	j      *Journal
	tx     *db.Tx
	top    polder.Seq
	scopes map[[2]string]int64
	chain  [32]byte
}

func (w *writer) scope(c polder.CommunityID, a polder.Audience) (int64, error) {
	key := [2]string{string(c), a.String()}
	if id, ok := w.scopes[key]; ok {
		return id, nil
	}
	id, err := w.j.scopes.intern(w.tx, c, a, w.top)
	w.scopes[key] = id
	return id, err
}

func (w *writer) write(d *Delivery) error {
	if err := w.body(d); err != nil {
		return err
	}
	u, err := uuidOf(d.ID)
	if err != nil {
		return err
	}
	var ids [3]int64
	for i, a := range []polder.Audience{d.Nominal, d.Reached, d.Last} {
		if ids[i], err = w.scope(d.Community, a); err != nil {
			return err
		}
	}
	hash := d.hash()
	w.chain = link(w.chain, hash)
	_, err = w.tx.Exec(insertDelivery, int64(d.Seq), int(d.Kind), string(d.Community), d.Line, d.Type(), u, d.Version, d.VersionAsGiven, string(d.Sharer), int(d.Level), bit(d.flag()),
		ids[0], ids[1], d.Digest[:], d.body, hash[:], w.chain[:], string(d.Custodian), ids[2])
	return err
}

func (w *writer) body(d *Delivery) error {
	switch {
	case d.Kind == Withdrawn:
		return nil
	case d.BodyOf != 0:
		var hash []byte
		err := w.tx.QueryRow(`SELECT b.id, b.raw, b.hash FROM delivery d JOIN body b ON b.id = d.body WHERE d.seq = ?`, int64(d.BodyOf)).Scan(&d.body, &d.Raw, &hash)
		if err != nil {
			return err
		}
		copy(d.bodyHash[:], hash)
		_, err = w.tx.Exec(`UPDATE delivery SET widened = 1 WHERE body = ?`, d.body)
		d.Widened = true
		return err
	}
	d.bodyHash = sha256.Sum256(d.Raw)
	res, err := w.tx.Exec(`INSERT INTO body (raw, hash) VALUES (?, ?)`, d.Raw, d.bodyHash[:])
	if err != nil {
		return err
	}
	d.body, err = res.LastInsertId()
	return err
}

// Querier reads: a transaction that writes, or the read pool.
type Querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
}

// History returns all live deliveries of these ids in a community, by id, in the order of their numbers.
func (j *Journal) History(q Querier, c polder.CommunityID, ids []string) (map[string][]Delivery, error) {
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, uuid, ok := strings.Cut(id, "--"); ok {
			keys = append(keys, strings.ReplaceAll(uuid, "-", ""))
		}
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(`SELECT `+columns+` FROM json_each(?) k CROSS JOIN delivery d LEFT JOIN body b ON b.id = d.body
		WHERE d.uuid = unhex(k.value) AND d.community = ? AND d.withdrawn = 0 AND d.kind = 0 ORDER BY d.seq`, string(list), string(c))
	if err != nil {
		return nil, err
	}
	found, err := j.scan(rows)
	out := map[string][]Delivery{}
	for _, d := range found {
		out[d.ID] = append(out[d.ID], d)
	}
	return out, err
}

// SetLast says for whom a delivery is the last version of its object.
func (j *Journal) SetLast(tx *db.Tx, c polder.CommunityID, seq polder.Seq, last polder.Audience) error {
	id, err := j.scopes.intern(tx, c, last, seq)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE delivery SET last = ? WHERE seq = ?`, id, int64(seq))
	return err
}

// Remove takes live deliveries out, by the withdrawal that is already appended as by.
func (j *Journal) Remove(tx *db.Tx, seqs []polder.Seq, by polder.Seq) error {
	for _, s := range seqs {
		if _, err := tx.Exec(`UPDATE delivery SET withdrawn = ?, last = 0 WHERE seq = ?`, int64(by), int64(s)); err != nil {
			return err
		}
	}
	tx.OnCommit(func() { j.live.forget(seqs) })
	return nil
}

// SetCustodian gives a line another custodian.
func (j *Journal) SetCustodian(tx *db.Tx, c polder.CommunityID, id string, line int64, to polder.OrgID) error {
	u, err := uuidOf(id)
	if err != nil {
		return err
	}
	if _, err = tx.Exec(`UPDATE delivery SET custodian = ? WHERE uuid = ? AND community = ? AND line = ?`, string(to), u, string(c), line); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO custody (community, line, custodian) VALUES (?, ?, ?)`, string(c), line, string(to))
	return err
}

// Erase removes the bytes of these deliveries for good; row, number and hash stay (X19).
func (j *Journal) Erase(tx *db.Tx, seqs []polder.Seq) error {
	for _, s := range seqs {
		if _, err := tx.Exec(`UPDATE body SET raw = NULL WHERE id = (SELECT body FROM delivery WHERE seq = ?)`, int64(s)); err != nil {
			return err
		}
	}
	tx.OnCommit(func() { j.live.forget(seqs) })
	return nil
}

// beginLineage begins the first lineage of a log; begun is false where there is one.
func (j *Journal) beginLineage(ctx context.Context) (begun bool, err error) {
	err = j.db.Write(ctx, func(tx *db.Tx) error {
		res, err := tx.Exec(`INSERT INTO lineage (id, since) SELECT lower(hex(randomblob(16))), 0 WHERE NOT EXISTS (SELECT 1 FROM lineage)`)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		begun = n > 0
		return err
	})
	return begun, err
}

// Last is the highest number given so far, in the transaction that asks: what is stored later has a higher one, whatever
// the clock does.
func Last(tx *db.Tx) (seq polder.Seq, err error) {
	err = tx.QueryRow(`SELECT max(coalesce((SELECT max(seq) FROM delivery), 0), coalesce((SELECT max(since) FROM lineage), 0))`).Scan(&seq)
	return seq, err
}
