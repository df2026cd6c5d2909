package screen

import (
	"database/sql"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const selectTombstone = `SELECT at, actor, ground, parties, screenings, reviews, decisions, rows FROM screen_tombstone `

func scanTombstone(row db.Row) (t Tombstone, err error) {
	var at int64
	err = row.Scan(&at, &t.By, (*string)(&t.Ground), &t.Parties, &t.Screenings, &t.Reviews, &t.Decisions, &t.Rows)
	t.At = fromStamp(at)
	return t, err
}

func listTombstones(a db.Querier, org polder.OrgID, limit int) ([]Tombstone, error) {
	rows, err := a.Query(selectTombstone+`WHERE org = ? ORDER BY n DESC LIMIT ?`, string(org), limit)
	return db.All(scanTombstone, rows, err)
}

// insertTombstone begins a tombstone.
func insertTombstone(tx *db.Tx, org polder.OrgID, t Tombstone) (n int64, err error) {
	res, err := tx.Exec(`INSERT INTO screen_tombstone (org, at, actor, ground, parties, screenings, reviews, decisions, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(org), stamp(t.At), t.By, string(t.Ground), t.Parties, t.Screenings, t.Reviews, t.Decisions, t.Rows)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// addTombstone counts what more went under a tombstone.
func addTombstone(tx *db.Tx, n int64, t Tombstone) error {
	_, err := tx.Exec(`UPDATE screen_tombstone SET parties = parties + ?, screenings = screenings + ?, reviews = reviews + ?, decisions = decisions + ?, rows = rows + ? WHERE n = ?`,
		t.Parties, t.Screenings, t.Reviews, t.Decisions, t.Rows, n)
	return err
}

func readTombstone(a db.Querier, n int64) (Tombstone, error) {
	return scanTombstone(a.QueryRow(selectTombstone+`WHERE n = ?`, n))
}

// dropReviews takes reviews away with all that belongs to them, and counts them and the decisions of people.
func dropReviews(tx *db.Tx, ns []int64) (t Tombstone, err error) {
	for _, n := range ns {
		var people int
		if err := tx.QueryRow(`SELECT count(*) FROM screen_decision WHERE review = ? AND verdict IN ('true', 'false', 'more')`, n).Scan(&people); err != nil {
			return t, err
		}
		if err := deleteReview(tx, n); err != nil {
			return t, err
		}
		t.Reviews, t.Decisions = t.Reviews+1, t.Decisions+people
	}
	return t, nil
}

func scanNumber(r db.Row) (n int64, err error) { return n, r.Scan(&n) }

// reviewsOfSubject are the numbers of some reviews of a subject.
func reviewsOfSubject(tx *db.Tx, org polder.OrgID, subject string, limit int) ([]int64, error) {
	rows, err := tx.Query(`SELECT n FROM screen_review WHERE org = ? AND subject = ? LIMIT ?`, string(org), subject, limit)
	return db.All(scanNumber, rows, err)
}

// dropScreenings takes some answers about a subject off the record.
func dropScreenings(tx *db.Tx, org polder.OrgID, subject string, limit int) (int, error) {
	return affected(tx.Exec(`DELETE FROM screen_screening WHERE n IN (SELECT n FROM screen_screening WHERE org = ? AND subject = ? LIMIT ?)`, string(org), subject, limit))
}

// dropSubjectRows takes some rows about a subject out of the batches of an organisation.
func dropSubjectRows(tx *db.Tx, org polder.OrgID, subject string, limit int) (int, error) {
	rows, err := tx.Query(`SELECT r.batch, r.row FROM screen_batch_row r JOIN screen_batch b ON b.n = r.batch WHERE r.subject = ? AND b.org = ? LIMIT ?`, subject, string(org), limit)
	type place struct{ batch, row int64 }
	found, err := db.All(func(r db.Row) (p place, err error) { return p, r.Scan(&p.batch, &p.row) }, rows, err)
	if err != nil {
		return 0, err
	}
	for _, p := range found {
		if _, err := tx.Exec(`DELETE FROM screen_batch_row WHERE batch = ? AND row = ?`, p.batch, p.row); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}

// affected is how many rows a statement changed.
func affected(res sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func deleteParty(tx *db.Tx, org polder.OrgID, id string) (int, error) {
	return affected(tx.Exec(`DELETE FROM screen_party WHERE id = ? AND org = ?`, id, string(org)))
}

// expiredReviews are reviews that moved last before a time: those that people decided or that closed, or those that
// wait. Reviews of known parties stay: what was decided is remembered for them.
func expiredReviews(tx *db.Tx, org polder.OrgID, waits bool, before time.Time, limit int) ([]int64, error) {
	rows, err := tx.Query(`SELECT n FROM screen_review r WHERE org = ?1 AND waits = ?2 AND changed < ?3 AND (party = '' OR NOT EXISTS (SELECT 1 FROM screen_party p WHERE p.id = r.party AND p.removed = 0)) LIMIT ?4`,
		string(org), waits, stamp(before), limit)
	return db.All(scanNumber, rows, err)
}

// dropExpired takes away some of what else was kept before a time: answers, rows of batches, removed parties of which
// nothing is left, runs. n is how many rows went of any kind.
func dropExpired(tx *db.Tx, org polder.OrgID, before time.Time, limit int) (t Tombstone, n int, err error) {
	if t.Screenings, err = affected(tx.Exec(`DELETE FROM screen_screening WHERE n IN (SELECT n FROM screen_screening WHERE org = ? AND at < ? LIMIT ?)`, string(org), stamp(before), limit)); err != nil {
		return t, 0, err
	}
	if t.Parties, err = affected(tx.Exec(`DELETE FROM screen_party WHERE n IN (SELECT n FROM screen_party p WHERE org = ? AND against = -1 AND removed > 0 AND removed < ?
		AND NOT EXISTS (SELECT 1 FROM screen_review r WHERE r.party = p.id AND r.party <> '') LIMIT ?)`, string(org), stamp(before), limit)); err != nil {
		return t, 0, err
	}
	runs, err := affected(tx.Exec(`DELETE FROM screen_rescreening WHERE n IN (SELECT n FROM screen_rescreening WHERE org = ? AND ended > 0 AND ended < ? LIMIT ?)`, string(org), stamp(before), limit))
	if err != nil {
		return t, 0, err
	}
	var batch int64
	switch err := tx.QueryRow(`SELECT n FROM screen_batch WHERE org = ? AND ended > 0 AND ended < ? LIMIT 1`, string(org), stamp(before)).Scan(&batch); {
	case errors.Is(err, sql.ErrNoRows):
		return t, t.Screenings + t.Parties + runs, nil
	case err != nil:
		return t, 0, err
	}
	rows, err := dropBatchRows(tx, batch, limit)
	if err == nil && rows == 0 {
		return t, t.Screenings + t.Parties + runs + 1, deleteBatch(tx, batch)
	}
	t.Rows = int(rows)
	return t, t.Screenings + t.Parties + runs + t.Rows, err
}
