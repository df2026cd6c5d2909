package screen

import (
	"database/sql"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const selectBatch = `SELECT n, id, org, name, state, made, ended, actor, person, token, threshold, total, done, refused, met, hits, opened, against FROM screen_batch `

var errNoBatch = polder.Errorf(polder.NotFound, "no such batch, or none of your organisation")

// keptBatch is a batch as it lies in its table.
type keptBatch struct {
	Batch
	against int64
}

func scanBatch(row db.Row) (b keptBatch, err error) {
	var made, ended int64
	err = row.Scan(&b.n, &b.ID, (*string)(&b.Org), &b.Name, (*string)(&b.State), &made, &ended, &b.By, (*string)(&b.person), (*string)(&b.token), &b.Threshold,
		&b.Total, &b.Done, &b.Refused, &b.Met, &b.Hits, &b.New, &b.against)
	if errors.Is(err, sql.ErrNoRows) {
		return b, errNoBatch
	}
	b.Made, b.Ended = fromStamp(made), fromStamp(ended)
	return b, err
}

func readBatch(a db.Querier, org polder.OrgID, id string) (Batch, error) {
	k, err := scanBatch(a.QueryRow(selectBatch+`WHERE id = ? AND org = ?`, id, string(org)))
	if err != nil {
		return Batch{}, err
	}
	g, err := readAgainst(a, k.against)
	k.Lists = g.lists
	return k.Batch, err
}

func listBatches(a db.Querier, org polder.OrgID, limit int) (out []Batch, err error) {
	rows, err := a.Query(selectBatch+`WHERE org = ? ORDER BY made DESC, id DESC LIMIT ?`, string(org), limit)
	kept, err := db.All(scanBatch, rows, err)
	if err != nil {
		return nil, err
	}
	cache := againstCache{}
	for _, k := range kept {
		g, err := cache.read(a, k.against)
		if err != nil {
			return nil, err
		}
		k.Lists = g.lists
		out = append(out, k.Batch)
	}
	return out, nil
}

// batchesIn are batches of a state, the oldest first.
func batchesIn(a db.Querier, state BatchState, limit int) (out []Batch, err error) {
	rows, err := a.Query(selectBatch+`WHERE state = ? ORDER BY n LIMIT ?`, string(state), limit)
	kept, err := db.All(scanBatch, rows, err)
	for _, k := range kept {
		out = append(out, k.Batch)
	}
	return out, err
}

// nextBatch is the oldest batch of an organisation that has something to ask.
func nextBatch(a db.Querier, org polder.OrgID) (b Batch, found bool, err error) {
	k, err := scanBatch(a.QueryRow(selectBatch+`WHERE org = ? AND state IN ('waiting', 'running') ORDER BY n LIMIT 1`, string(org)))
	if errors.Is(err, errNoBatch) {
		return b, false, nil
	}
	return k.Batch, err == nil, err
}

// countUnended is how many batches of an organisation have not ended.
func countUnended(a db.Querier, org polder.OrgID) (n int, err error) {
	err = a.QueryRow(`SELECT count(*) FROM screen_batch WHERE org = ? AND state IN ('storing', 'waiting', 'running')`, string(org)).Scan(&n)
	return n, err
}

func insertBatch(tx *db.Tx, b *Batch) error {
	res, err := tx.Exec(`INSERT INTO screen_batch (id, org, name, state, made, actor, person, token, threshold) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		b.ID, string(b.Org), b.Name, string(b.State), stamp(b.Made), b.By, string(b.person), string(b.token), b.Threshold)
	if err != nil {
		return err
	}
	b.n, err = res.LastInsertId()
	return err
}

// setBatchState moves a batch from one of two states to another; false when it is in neither.
func setBatchState(tx *db.Tx, n int64, to BatchState, ended time.Time, from, orFrom BatchState) (bool, error) {
	res, err := tx.Exec(`UPDATE screen_batch SET state = ?, ended = ? WHERE n = ? AND state IN (?, ?)`, string(to), stamp(ended), n, string(from), string(orFrom))
	if err != nil {
		return false, err
	}
	rows, err := res.RowsAffected()
	return rows == 1, err
}

func insertBatchRow(tx *db.Tx, batch int64, r BatchRow) error {
	query, err := packed(r.Query)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO screen_batch_row (batch, row, subject, query, fault) VALUES (?, ?, ?, ?, ?)`, batch, r.N, subjectOf("", QueryFingerprint(r.Query)), query, r.Fault)
	return err
}

const selectBatchRow = `SELECT row, query, fault, at, against, hits FROM screen_batch_row `

// keptRow is a row as it lies in its table.
type keptRow struct {
	BatchRow
	against int64
}

func scanBatchRow(row db.Row) (k keptRow, err error) {
	var query, hits string
	var at int64
	if err := row.Scan(&k.N, &query, &k.Fault, &at, &k.against, &hits); err != nil {
		return k, err
	}
	k.At = fromStamp(at)
	return k, errors.Join(unpack(query, &k.Query), unpack(hits, &k.Hits))
}

func batchRows(a db.Querier, batch int64, f BatchFilter) (out []BatchRow, err error) {
	var rows *sql.Rows
	switch {
	case f.Fault:
		rows, err = a.Query(selectBatchRow+`WHERE batch = ? AND row > ? AND fault <> '' ORDER BY row LIMIT ?`, batch, f.After, f.Limit)
	case f.Hit:
		rows, err = a.Query(selectBatchRow+`WHERE batch = ? AND row > ? AND hits <> '' ORDER BY row LIMIT ?`, batch, f.After, f.Limit)
	default:
		rows, err = a.Query(selectBatchRow+`WHERE batch = ? AND row > ? ORDER BY row LIMIT ?`, batch, f.After, f.Limit)
	}
	kept, err := db.All(scanBatchRow, rows, err)
	for _, k := range kept {
		out = append(out, k.BatchRow)
	}
	return out, err
}

func setBatchRow(tx *db.Tx, batch int64, row int, at time.Time, against int64, hits []BriefHit) error {
	text := ""
	if len(hits) > 0 {
		var err error
		if text, err = packed(hits); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`UPDATE screen_batch_row SET at = ?, against = ?, hits = ? WHERE batch = ? AND row = ?`, stamp(at), against, text, batch, row)
	return err
}

// batchSpan is what one transaction did of a batch.
type batchSpan struct{ to, refused, met, hits, opened int }

// advanceBatch says how far a batch is; false when it was not where the caller saw it.
func advanceBatch(tx *db.Tx, b Batch, d batchSpan, against int64, now time.Time) (bool, error) {
	state, ended := BatchRunning, time.Time{}
	if d.to >= b.Total {
		state, ended = BatchDone, now
	}
	res, err := tx.Exec(`UPDATE screen_batch SET state = ?, ended = ?, done = ?, refused = refused + ?, met = met + ?, hits = hits + ?, opened = opened + ?, against = ? WHERE n = ? AND done = ? AND state IN ('waiting', 'running')`,
		string(state), stamp(ended), d.to, d.refused, d.met, d.hits, d.opened, against, b.n, b.Done)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// dropBatchRows takes some rows of a batch away.
func dropBatchRows(tx *db.Tx, batch int64, limit int) (int64, error) {
	res, err := tx.Exec(`DELETE FROM screen_batch_row WHERE batch = ?1 AND row IN (SELECT row FROM screen_batch_row WHERE batch = ?1 ORDER BY row LIMIT ?2)`, batch, limit)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func setBatchTotal(tx *db.Tx, n int64, total int) error {
	_, err := tx.Exec(`UPDATE screen_batch SET total = ? WHERE n = ?`, total, n)
	return err
}

// deleteBatch takes a batch away whose rows are gone.
func deleteBatch(tx *db.Tx, n int64) error {
	_, err := tx.Exec(`DELETE FROM screen_batch WHERE n = ?`, n)
	return err
}
