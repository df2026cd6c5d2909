package detect

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const selectSuppression = `SELECT id, org, rule, object, title, scope, value, reason, actor, made, until, ended, ended_by, count, last FROM suppression `

var errNoSuppression = polder.Errorf(polder.NotFound, "no such suppression, or none of your organisation")

func scanSuppression(r db.Row) (s Suppression, err error) {
	var made, until, ended, last int64
	err = r.Scan(&s.ID, (*string)(&s.Org), &s.Rule, &s.Object, &s.Title, (*string)(&s.Scope), &s.Value, &s.Reason, &s.By, &made, &until, &ended, &s.EndedBy, &s.Count, &last)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoSuppression
	}
	s.Made, s.Until, s.Ended, s.Last = fromMicro(made), fromMicro(until), fromMicro(ended), fromMicro(last)
	return s, err
}

func scanSuppressions(rows *sql.Rows, err error) (out []Suppression, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		s, err := scanSuppression(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// activeSuppressions are those of a rule that count at a time.
func activeSuppressions(tx *db.Tx, org polder.OrgID, rule string, at time.Time) ([]Suppression, error) {
	rows, err := tx.Query(selectSuppression+`WHERE org = ? AND rule = ? AND until > ? AND ended = 0 ORDER BY made, id`, string(org), rule, micro(at))
	return scanSuppressions(rows, err)
}

// listSuppressions are those of an organisation, the ones that count first, then the latest to end.
func listSuppressions(ctx context.Context, d *sql.DB, org polder.OrgID, now time.Time, limit int) ([]Suppression, error) {
	return scanSuppressions(d.QueryContext(ctx, selectSuppression+`WHERE org = ? ORDER BY (ended = 0 AND until > ?) DESC, until DESC, id LIMIT ?`, string(org), micro(now), limit))
}

func readSuppression(ctx context.Context, d *sql.DB, org polder.OrgID, id string) (Suppression, error) {
	return scanSuppression(d.QueryRowContext(ctx, selectSuppression+`WHERE id = ? AND org = ?`, id, string(org)))
}

func readSuppressionTx(tx *db.Tx, org polder.OrgID, id string) (Suppression, error) {
	return scanSuppression(tx.QueryRow(selectSuppression+`WHERE id = ? AND org = ?`, id, string(org)))
}

func countActive(tx *db.Tx, org polder.OrgID, now time.Time) (n int, err error) {
	err = tx.QueryRow(`SELECT count(*) FROM suppression WHERE org = ? AND ended = 0 AND until > ?`, string(org), micro(now)).Scan(&n)
	return n, err
}

func insertSuppression(tx *db.Tx, s Suppression, by polder.Actor) error {
	_, err := tx.Exec(`INSERT INTO suppression (id, org, rule, object, title, scope, value, reason, actor, person, made, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, string(s.Org), s.Rule, s.Object, s.Title, string(s.Scope), s.Value, s.Reason, s.By, string(by.Person), micro(s.Made), micro(s.Until))
	return err
}

func changeSuppression(tx *db.Tx, s Suppression) error {
	_, err := tx.Exec(`UPDATE suppression SET reason = ?, until = ?, ended = ?, ended_by = ? WHERE id = ?`, s.Reason, micro(s.Until), micro(s.Ended), s.EndedBy, s.ID)
	return err
}

func countSuppressed(tx *db.Tx, id string, at time.Time) error {
	_, err := tx.Exec(`UPDATE suppression SET count = count + 1, last = max(last, ?) WHERE id = ?`, micro(at), id)
	return err
}

// ofRule is the shared object that a rule came as, and the rule's title, as the last group of it has them; both are
// empty when there is none.
func ofRule(tx *db.Tx, org polder.OrgID, rule string) (object, title string, err error) {
	err = tx.QueryRow(`SELECT object, title FROM alert_group WHERE org = ? AND rule = ? ORDER BY made DESC LIMIT 1`, string(org), rule).Scan(&object, &title)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return object, title, err
}
