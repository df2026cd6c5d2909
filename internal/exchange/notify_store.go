package exchange

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const selectRule = `SELECT id, person, org, kind, value, channel, target, secret, digest, enabled, created FROM notification_rule WHERE `

var errNoRule = polder.Errorf(polder.NotFound, "no such notification")

func scanRule(r db.Row) (u Rule, err error) {
	var created int64
	err = r.Scan(&u.ID, (*string)(&u.Person), (*string)(&u.Org), (*string)(&u.Kind), &u.Value, (*string)(&u.Channel), &u.Target, &u.Secret, (*uint8)(&u.Digest), &u.Enabled, &created)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoRule
	}
	u.Created = time.UnixMicro(created).UTC()
	return u, err
}

func scanRules(rows *sql.Rows) (out []Rule, err error) {
	defer rows.Close()
	for rows.Next() {
		u, err := scanRule(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

func readRule(ctx context.Context, d *sql.DB, id string) (Rule, error) {
	return scanRule(d.QueryRowContext(ctx, selectRule+`id = ?`, id))
}

func rulesOf(ctx context.Context, d *sql.DB, p polder.PersonID) ([]Rule, error) {
	rows, err := d.QueryContext(ctx, selectRule+`person = ? ORDER BY created, id`, string(p))
	if err != nil {
		return nil, err
	}
	return scanRules(rows)
}

func rulesOfTx(tx *db.Tx, p polder.PersonID) ([]Rule, error) {
	rows, err := tx.Query(selectRule+`person = ? ORDER BY created, id`, string(p))
	if err != nil {
		return nil, err
	}
	return scanRules(rows)
}

func enabledRules(ctx context.Context, d *sql.DB) ([]Rule, error) {
	rows, err := d.QueryContext(ctx, selectRule+`enabled = 1 ORDER BY person, created, id`)
	if err != nil {
		return nil, err
	}
	return scanRules(rows)
}

func insertRule(tx *db.Tx, u Rule) error {
	if u.Secret == nil {
		u.Secret = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO notification_rule (id, person, org, kind, value, channel, target, secret, digest, enabled, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID, string(u.Person), string(u.Org), string(u.Kind), u.Value, string(u.Channel), u.Target, u.Secret, int(u.Digest), u.Enabled, u.Created.UnixMicro())
	return err
}

func switchRule(tx *db.Tx, id string, on bool) error {
	_, err := tx.Exec(`UPDATE notification_rule SET enabled = ? WHERE id = ?`, on, id)
	return err
}

func removeRule(tx *db.Tx, id string) error {
	_, err := tx.Exec(`DELETE FROM notification_rule WHERE id = ?`, id)
	return err
}

// notifiedTo is the number up to which the journal was looked through; ok is false before the first time.
func notifiedTo(ctx context.Context, d *sql.DB) (seq polder.Seq, ok bool, err error) {
	err = d.QueryRowContext(ctx, `SELECT seq FROM notification_cursor WHERE one = 1`).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return seq, err == nil, err
}

func setNotifiedTo(tx *db.Tx, seq polder.Seq) error {
	_, err := tx.Exec(`INSERT INTO notification_cursor (one, seq) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET seq = max(seq, excluded.seq)`, int64(seq))
	return err
}
