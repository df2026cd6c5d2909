package detect

import (
	"context"
	"database/sql"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

func countSource(tx *db.Tx, k source, c intakeCount) error {
	_, err := tx.Exec(`INSERT INTO intake_source (org, name, events, bytes, lost, refused, last) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (org, name) DO UPDATE SET events = events + excluded.events, bytes = bytes + excluded.bytes, lost = lost + excluded.lost,
		refused = refused + excluded.refused, last = max(last, excluded.last)`,
		string(k.org), k.name, c.events, c.bytes, c.lost, c.refused, micro(c.last))
	return err
}

func listSources(ctx context.Context, d *sql.DB, org polder.OrgID) (out []IntakeSource, err error) {
	rows, err := d.QueryContext(ctx, `SELECT name, events, bytes, lost, refused, last FROM intake_source WHERE org = ? ORDER BY last DESC, name LIMIT 500`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s IntakeSource
		var last int64
		if err := rows.Scan(&s.Name, &s.Events, &s.Bytes, &s.Lost, &s.Refused, &last); err != nil {
			return nil, err
		}
		s.Last = fromMicro(last)
		out = append(out, s)
	}
	return out, rows.Err()
}

// fileMark is how far a file of a watched folder was read.
type fileMark struct {
	path   string
	start  []byte // hash of its first bytes
	known  int64  // how many those are
	offset int64
	line   int
}

func readMarks(ctx context.Context, d *sql.DB, folder string) (out []fileMark, err error) {
	rows, err := d.QueryContext(ctx, `SELECT path, start, known, offset, line FROM intake_file WHERE folder = ?`, folder)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m fileMark
		if err := rows.Scan(&m.path, &m.start, &m.known, &m.offset, &m.line); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

func putMark(tx *db.Tx, folder string, m fileMark, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO intake_file (folder, path, start, known, offset, line, seen) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (folder, path) DO UPDATE SET start = excluded.start, known = excluded.known, offset = excluded.offset, line = excluded.line, seen = excluded.seen`,
		folder, m.path, m.start, m.known, m.offset, m.line, micro(now))
	return err
}

func dropMark(tx *db.Tx, folder, path string) error {
	_, err := tx.Exec(`DELETE FROM intake_file WHERE folder = ? AND path = ?`, folder, path)
	return err
}
