package exchange

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/taxii"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the exchange's tables up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "exchange", sub)
}

// statusKept is how long a status resource can be asked for (TAXII 4.3.1 asks for at least a day).
const statusKept = 25 * time.Hour

func saveStatus(tx *db.Tx, org polder.OrgID, st taxii.Status, now time.Time) error {
	doc, err := json.Marshal(st)
	if err != nil {
		return err
	}
	if _, err = tx.Exec(`DELETE FROM taxii_status WHERE created < ?`, now.Add(-statusKept).UnixMicro()); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO taxii_status (id, org, created, status) VALUES (?, ?, ?, ?)`, st.ID, string(org), now.UnixMicro(), string(doc))
	return err
}

func readStatus(ctx context.Context, d *sql.DB, org polder.OrgID, id string) (st taxii.Status, err error) {
	var doc string
	err = d.QueryRowContext(ctx, `SELECT status FROM taxii_status WHERE id = ? AND org = ?`, id, string(org)).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return st, polder.Errorf(polder.NotFound, "no such status; they are kept for a day")
	}
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal([]byte(doc), &st)
}
