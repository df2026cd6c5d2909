package detect

import (
	"context"
	"database/sql"
	"errors"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

var errNoNotice = polder.Errorf(polder.NotFound, "no such notification")

const selectNotice = `SELECT id, person, org, level, channel, target, secret, digest, enabled, made FROM alert_notice WHERE `

func scanNotice(r db.Row) (n Notice, err error) {
	var level int
	var made int64
	err = r.Scan(&n.ID, (*string)(&n.Person), (*string)(&n.Org), &level, (*string)(&n.Channel), &n.Target, &n.Secret, (*uint8)(&n.Digest), &n.Enabled, &made)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoNotice
	}
	n.Level, n.Made = levelAt(level), fromMicro(made)
	return n, err
}

func scanNotices(rows *sql.Rows, err error) (out []Notice, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		n, err := scanNotice(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

func readNotice(ctx context.Context, d *sql.DB, id string) (Notice, error) {
	return scanNotice(d.QueryRowContext(ctx, selectNotice+`id = ?`, id))
}

func noticesOf(ctx context.Context, d *sql.DB, p polder.PersonID) ([]Notice, error) {
	return scanNotices(d.QueryContext(ctx, selectNotice+`person = ? ORDER BY made, id`, string(p)))
}

func noticesOfTx(tx *db.Tx, p polder.PersonID) ([]Notice, error) {
	rows, err := tx.Query(selectNotice+`person = ? ORDER BY made, id`, string(p))
	return scanNotices(rows, err)
}

func enabledNotices(ctx context.Context, d *sql.DB) ([]Notice, error) {
	return scanNotices(d.QueryContext(ctx, selectNotice+`enabled = 1 ORDER BY person, made, id LIMIT 100000`))
}

func insertNotice(tx *db.Tx, n Notice) error {
	if n.Secret == nil {
		n.Secret = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO alert_notice (id, person, org, level, channel, target, secret, digest, enabled, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.ID, string(n.Person), string(n.Org), n.Level.rank(), string(n.Channel), n.Target, n.Secret, int(n.Digest), n.Enabled, micro(n.Made))
	return err
}

func switchNotice(tx *db.Tx, id string, on bool) error {
	_, err := tx.Exec(`UPDATE alert_notice SET enabled = ? WHERE id = ?`, on, id)
	return err
}

func removeNotice(tx *db.Tx, id string) error {
	_, err := tx.Exec(`DELETE FROM alert_notice WHERE id = ?`, id)
	return err
}
