package cases

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// reportAsker is a transaction, or what reads as one does.
type reportAsker interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// reportReads are the read-only connections under a context.
type reportReads struct {
	ctx context.Context
	d   *sql.DB
}

func (r reportReads) Query(query string, args ...any) (*sql.Rows, error) {
	return r.d.QueryContext(r.ctx, query, args...)
}

func (r reportReads) QueryRow(query string, args ...any) *sql.Row {
	return r.d.QueryRowContext(r.ctx, query, args...)
}

// reportReader reads what is committed.
func (s *Service) reportReader(ctx context.Context) reportReads {
	return reportReads{ctx, s.o.DB.Read()}
}

// reportSteps does one thing after another until one fails.
func reportSteps(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// reportScan reads every row.
func reportScan[T any](rows *sql.Rows, err error, scan func(func(...any) error) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// reportMarks are n places of a list in SQL.
func reportMarks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func reportArgs[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// reportTime is a stored time; 0 is none.
func reportTime(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func reportMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// reportRow is a report without what is sealed.
type reportRow struct {
	id, desk, team                          string
	state                                   ReportState
	sealedBy                                string
	received, acknowledged, closed, changed time.Time
	fading                                  time.Time
	caseID                                  CaseID
	lookup, reporter                        []byte
}

const reportColumns = `id, desk, team, state, sealed_by, received, acknowledged, closed, changed, fading, case_id, lookup, reporter`

func scanReportRow(scan func(...any) error) (r reportRow, err error) {
	var received, acknowledged, closed, changed, fading int64
	err = scan(&r.id, &r.desk, &r.team, &r.state, &r.sealedBy, &received, &acknowledged, &closed, &changed, &fading, &r.caseID, &r.lookup, &r.reporter)
	r.received, r.acknowledged, r.closed = reportTime(received), reportTime(acknowledged), reportTime(closed)
	r.changed, r.fading = reportTime(changed), reportTime(fading)
	return r, err
}

// desks are those whose readers read r.
func (r reportRow) desks() []string {
	if r.team == "" {
		return []string{r.desk}
	}
	return []string{r.desk, r.team}
}

// public is the reporter's key; nil where the reporter cannot be asked.
func (r reportRow) public() *seal.PublicKey {
	if len(r.reporter) != len(seal.PublicKey{}) {
		return nil
	}
	k := seal.PublicKey(r.reporter)
	return &k
}

func insertReport(tx *db.Tx, r reportRow) error {
	_, err := tx.Exec(`INSERT INTO cases_report (`+reportColumns+`) VALUES (`+reportMarks(13)+`)`, r.id, r.desk, r.team, string(r.state), r.sealedBy,
		reportMicros(r.received), reportMicros(r.acknowledged), reportMicros(r.closed), reportMicros(r.changed), reportMicros(r.fading), string(r.caseID), r.lookup, r.reporter)
	return err
}

// updateReport writes what changes of a report.
func updateReport(tx *db.Tx, r reportRow) error {
	_, err := tx.Exec(`UPDATE cases_report SET state = ?, acknowledged = ?, closed = ?, changed = ?, fading = ?, case_id = ?, lookup = ?, reporter = ? WHERE id = ?`,
		string(r.state), reportMicros(r.acknowledged), reportMicros(r.closed), reportMicros(r.changed), reportMicros(r.fading), string(r.caseID), r.lookup, r.reporter, r.id)
	return err
}

// readReport is a report by its id; nil when there is none.
func readReport(q reportAsker, id string) (*reportRow, error) {
	return oneReport(q, `id = ?`, id)
}

// findReport is a report by the place of its thread; nil when there is none.
func findReport(q reportAsker, lookup []byte) (*reportRow, error) {
	return oneReport(q, `lookup = ?`, lookup)
}

func oneReport(q reportAsker, where string, arg any) (*reportRow, error) {
	r, err := scanReportRow(q.QueryRow(`SELECT `+reportColumns+` FROM cases_report WHERE `+where, arg).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, err
}

// listReports are the reports of desks, the oldest first.
func listReports(q reportAsker, desks []string, f ReportFilter, after *reportRow) ([]reportRow, error) {
	where, args := `state <> 'closed'`, []any{}
	if f.State != "" {
		where, args = `state = ?`, []any{string(f.State)}
	}
	if after != nil {
		where += ` AND (received, id) > (?, ?)`
		args = append(args, reportMicros(after.received), after.id)
	}
	in := reportArgs(desks)
	all := slices.Concat(args, in, args, in, []any{f.Limit})
	marks := reportMarks(len(desks))
	rows, err := q.Query(`SELECT `+reportColumns+` FROM cases_report WHERE `+where+` AND desk IN (`+marks+`)
		UNION SELECT `+reportColumns+` FROM cases_report WHERE `+where+` AND team <> '' AND team IN (`+marks+`)
		ORDER BY received, id LIMIT ?`, all...)
	return reportScan(rows, err, scanReportRow)
}

// countReports counts those of desks in a state.
func countReports(q reportAsker, desks []string, where string) (n int, err error) {
	in, marks := reportArgs(desks), reportMarks(len(desks))
	err = q.QueryRow(`SELECT count(*) FROM (SELECT id FROM cases_report WHERE desk IN (`+marks+`) AND `+where+`
		UNION SELECT id FROM cases_report WHERE team <> '' AND team IN (`+marks+`) AND `+where+`)`, append(in, in...)...).Scan(&n)
	return n, err
}

// What a box is a part of.
const (
	boxReport  = "report"
	boxMessage = "message"
	boxFile    = "file"
)

// boxRow is a sealed part of a report.
type boxRow struct {
	id, report, part, sender, of string
	n                            int
	at                           time.Time
	hash                         []byte // of a file: where its body lies
	size                         int64
	box                          seal.Box // of a file without the body
}

func insertBox(tx *db.Tx, b boxRow) error {
	body, hash := b.box.Body, b.hash
	if b.part == boxFile {
		body = []byte{}
	}
	if hash == nil {
		hash = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO cases_box (id, report, part, n, sender, at, of_box, nonce, body, hash, size)
		VALUES (?, ?, ?, (SELECT count(*) FROM cases_box WHERE report = ?2), ?, ?, ?, ?, ?, ?, ?)`,
		b.id, b.report, b.part, b.sender, reportMicros(b.at), b.of, b.box.Nonce, body, hash, b.size)
	if err != nil {
		return err
	}
	return insertWraps(tx, b.id, b.box.Wraps)
}

func insertWraps(tx *db.Tx, box string, wraps []seal.Wrap) error {
	for _, w := range wraps {
		if _, err := tx.Exec(`INSERT INTO cases_wrap (box, key, enc, sealed) VALUES (?, ?, ?, ?)`, box, string(w.To), w.Enc, w.Key); err != nil {
			return err
		}
	}
	return nil
}

// Which bodies [readBoxes] reads, in SQL.
const (
	allBodies   = `body`
	firstBodies = `CASE part WHEN 'report' THEN body ELSE x'' END`
)

// readBoxes are the sealed parts of reports with the wraps for keys alone, in order.
func readBoxes(q reportAsker, reports []string, keys []seal.KeyID, body string) (map[string][]boxRow, error) {
	out := map[string][]boxRow{}
	if len(reports) == 0 {
		return out, nil
	}
	wraps, err := readWraps(q, reports, keys)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(`SELECT id, report, part, n, sender, at, of_box, nonce, `+body+`, hash, size FROM cases_box
		WHERE report IN (`+reportMarks(len(reports))+`) ORDER BY report, n`, reportArgs(reports)...)
	all, err := reportScan(rows, err, func(scan func(...any) error) (b boxRow, err error) {
		var at int64
		err = scan(&b.id, &b.report, &b.part, &b.n, &b.sender, &at, &b.of, &b.box.Nonce, &b.box.Body, &b.hash, &b.size)
		b.at, b.box.V, b.box.Wraps = reportTime(at), 1, wraps[b.id]
		return b, err
	})
	for _, b := range all {
		out[b.report] = append(out[b.report], b)
	}
	return out, err
}

// readWraps are the wraps of boxes of reports for keys, by box.
func readWraps(q reportAsker, reports []string, keys []seal.KeyID) (map[string][]seal.Wrap, error) {
	out := map[string][]seal.Wrap{}
	if len(keys) == 0 {
		return out, nil
	}
	type row struct {
		box string
		seal.Wrap
	}
	rows, err := q.Query(`SELECT w.box, w.key, w.enc, w.sealed FROM cases_box b JOIN cases_wrap w ON w.box = b.id
		WHERE b.report IN (`+reportMarks(len(reports))+`) AND w.key IN (`+reportMarks(len(keys))+`) ORDER BY w.box, w.key`,
		append(reportArgs(reports), reportArgs(keys)...)...)
	all, err := reportScan(rows, err, func(scan func(...any) error) (r row, err error) {
		err = scan(&r.box, &r.To, &r.Enc, &r.Key)
		return r, err
	})
	for _, r := range all {
		out[r.box] = append(out[r.box], r.Wrap)
	}
	return out, err
}

// boxesLacking are, of reports, the boxes that have no wrap for a key.
func boxesLacking(q reportAsker, reports []string, key seal.KeyID) (map[string]bool, error) {
	out := map[string]bool{}
	if len(reports) == 0 {
		return out, nil
	}
	rows, err := q.Query(`SELECT DISTINCT b.report FROM cases_box b WHERE b.report IN (`+reportMarks(len(reports))+`)
		AND NOT EXISTS (SELECT 1 FROM cases_wrap w WHERE w.box = b.id AND w.key = ?)`, append(reportArgs(reports), string(key))...)
	all, err := reportScan(rows, err, func(scan func(...any) error) (id string, err error) {
		err = scan(&id)
		return id, err
	})
	for _, id := range all {
		out[id] = true
	}
	return out, err
}

// deleteWraps takes up to limit wraps of a key from boxes of a desk's reports, but of those that the key reads through
// its other desk too. It says whether there may be more.
func deleteWraps(tx *db.Tx, desk string, key seal.KeyID, limit int) (more bool, err error) {
	res, err := tx.Exec(`DELETE FROM cases_wrap WHERE (box, key) IN (SELECT w.box, w.key FROM cases_wrap w JOIN cases_box b ON b.id = w.box JOIN cases_report r ON r.id = b.report
		WHERE w.key = ?1 AND (r.desk = ?2 OR r.team = ?2) AND NOT EXISTS (SELECT 1 FROM cases_reader o
			WHERE o.key = ?1 AND o.state = 'reading' AND o.desk <> ?2 AND o.desk IN (r.desk, r.team)) LIMIT ?3)`, string(key), desk, limit)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == int64(limit), err
}

// deleteReport takes a report with all its parts away; what its files hold goes when nothing refers to it.
func deleteReport(tx *db.Tx, blobs *blob.Store, id string) error {
	rows, err := tx.Query(`SELECT hash FROM cases_box WHERE report = ? AND part = 'file'`, id)
	hashes, err := reportScan(rows, err, func(scan func(...any) error) (h []byte, err error) {
		err = scan(&h)
		return h, err
	})
	if err != nil {
		return err
	}
	for _, h := range hashes {
		if len(h) == len(blob.Hash{}) {
			if err := blobs.Erase(tx, blob.Hash(h)); err != nil {
				return err
			}
		}
	}
	for _, text := range []string{
		`DELETE FROM cases_wrap WHERE box IN (SELECT id FROM cases_box WHERE report = ?)`,
		`DELETE FROM cases_box WHERE report = ?`, `DELETE FROM cases_once WHERE report = ?`, `DELETE FROM cases_report WHERE id = ?`,
	} {
		if _, err := tx.Exec(text, id); err != nil {
			return err
		}
	}
	return nil
}

// readOnce is the report that a post became when it came first; empty when it did not.
func readOnce(q reportAsker, hash []byte) (id string, err error) {
	if hash == nil {
		return "", nil
	}
	err = q.QueryRow(`SELECT report FROM cases_once WHERE hash = ?`, hash).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

func insertOnce(tx *db.Tx, hash []byte, report string, at time.Time) error {
	if hash == nil {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO cases_once (hash, report, at) VALUES (?, ?, ?)`, hash, report, reportMicros(at))
	return err
}
