package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
)

// reportSteps does one thing after another until one fails.
func reportSteps(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// reportList is a list as one argument, for json_each.
func reportList[T ~string](list []T) string {
	text, err := json.Marshal(list)
	if err != nil { // texts always encode
		panic(err)
	}
	return string(text)
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

func scanReportRow(row db.Row) (r reportRow, err error) {
	var received, acknowledged, closed, changed, fading int64
	err = row.Scan(&r.id, &r.desk, &r.team, &r.state, &r.sealedBy, &received, &acknowledged, &closed, &changed, &fading, &r.caseID, &r.lookup, &r.reporter)
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
	_, err := tx.Exec(`INSERT INTO cases_report (`+reportColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.id, r.desk, r.team, string(r.state), r.sealedBy,
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
func readReport(q db.Querier, id string) (*reportRow, error) {
	return oneReport(scanReportRow(q.QueryRow(`SELECT `+reportColumns+` FROM cases_report WHERE id = ?`, id)))
}

// findReport is a report by the place of its thread; nil when there is none.
func findReport(q db.Querier, lookup []byte) (*reportRow, error) {
	return oneReport(scanReportRow(q.QueryRow(`SELECT `+reportColumns+` FROM cases_report WHERE lookup = ?`, lookup)))
}

func oneReport(r reportRow, err error) (*reportRow, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, err
}

// listReports are the reports of desks, the oldest first.
func listReports(q db.Querier, desks []string, f ReportFilter, after *reportRow) ([]reportRow, error) {
	var from reportRow
	if after != nil {
		from = *after
	}
	rows, err := q.Query(`SELECT `+reportColumns+` FROM cases_report WHERE desk IN (SELECT value FROM json_each(?1)) AND (state = ?2 OR ?2 = '' AND state <> 'closed') AND (received, id) > (?3, ?4)
		UNION SELECT `+reportColumns+` FROM cases_report WHERE team <> '' AND team IN (SELECT value FROM json_each(?1)) AND (state = ?2 OR ?2 = '' AND state <> 'closed') AND (received, id) > (?3, ?4)
		ORDER BY received, id LIMIT ?5`, reportList(desks), string(f.State), reportMicros(from.received), from.id, f.Limit)
	return db.All(scanReportRow, rows, err)
}

// countNew counts the reports of desks that nobody has acknowledged.
func countNew(q db.Querier, desks []string) (n int, err error) {
	err = q.QueryRow(`SELECT count(*) FROM (SELECT id FROM cases_report WHERE state = 'new' AND desk IN (SELECT value FROM json_each(?1))
		UNION SELECT id FROM cases_report WHERE state = 'new' AND team <> '' AND team IN (SELECT value FROM json_each(?1)))`, reportList(desks)).Scan(&n)
	return n, err
}

// countOpen counts the reports of a desk that are not closed.
func countOpen(q db.Querier, desk string) (n int, err error) {
	err = q.QueryRow(`SELECT count(*) FROM (SELECT id FROM cases_report WHERE desk = ?1 AND state <> 'closed'
		UNION SELECT id FROM cases_report WHERE team <> '' AND team = ?1 AND state <> 'closed')`, desk).Scan(&n)
	return n, err
}

// countLacking counts those of them of which something is not sealed to a key.
func countLacking(q db.Querier, desk string, key seal.KeyID) (n int, err error) {
	err = q.QueryRow(`SELECT count(*) FROM (SELECT id FROM cases_report WHERE desk = ?1 AND state <> 'closed'
		UNION SELECT id FROM cases_report WHERE team <> '' AND team = ?1 AND state <> 'closed') r
		WHERE EXISTS (SELECT 1 FROM cases_box b WHERE b.report = r.id AND NOT EXISTS (SELECT 1 FROM cases_wrap w WHERE w.box = b.id AND w.key = ?2))`, desk, string(key)).Scan(&n)
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

// readBoxes are the sealed parts of reports with the wraps for keys alone, in order. Where not all is asked for, of
// messages and files there is everything but the bodies.
func readBoxes(q db.Querier, reports []string, keys []seal.KeyID, all bool) (map[string][]boxRow, error) {
	out := map[string][]boxRow{}
	wraps, err := readWraps(q, reports, keys)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(`SELECT id, report, part, n, sender, at, of_box, nonce, CASE WHEN ?2 OR part = 'report' THEN body ELSE x'' END, hash, size FROM cases_box
		WHERE report IN (SELECT value FROM json_each(?1)) ORDER BY report, n`, reportList(reports), all)
	found, err := db.All(func(row db.Row) (b boxRow, err error) {
		var at int64
		err = row.Scan(&b.id, &b.report, &b.part, &b.n, &b.sender, &at, &b.of, &b.box.Nonce, &b.box.Body, &b.hash, &b.size)
		b.at, b.box.V, b.box.Wraps = reportTime(at), 1, wraps[b.id]
		return b, err
	}, rows, err)
	for _, b := range found {
		out[b.report] = append(out[b.report], b)
	}
	return out, err
}

// readWraps are the wraps of boxes of reports for keys, by box.
func readWraps(q db.Querier, reports []string, keys []seal.KeyID) (map[string][]seal.Wrap, error) {
	type row struct {
		box string
		seal.Wrap
	}
	rows, err := q.Query(`SELECT w.box, w.key, w.enc, w.sealed FROM cases_box b JOIN cases_wrap w ON w.box = b.id
		WHERE b.report IN (SELECT value FROM json_each(?)) AND w.key IN (SELECT value FROM json_each(?)) ORDER BY w.box, w.key`, reportList(reports), reportList(keys))
	all, err := db.All(func(one db.Row) (r row, err error) {
		err = one.Scan(&r.box, &r.To, &r.Enc, &r.Key)
		return r, err
	}, rows, err)
	out := map[string][]seal.Wrap{}
	for _, r := range all {
		out[r.box] = append(out[r.box], r.Wrap)
	}
	return out, err
}

// boxesLacking are those of reports of which something has no wrap for a key.
func boxesLacking(q db.Querier, reports []string, key seal.KeyID) (map[string]bool, error) {
	rows, err := q.Query(`SELECT DISTINCT b.report FROM cases_box b WHERE b.report IN (SELECT value FROM json_each(?))
		AND NOT EXISTS (SELECT 1 FROM cases_wrap w WHERE w.box = b.id AND w.key = ?)`, reportList(reports), string(key))
	all, err := db.All(func(row db.Row) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	}, rows, err)
	out := map[string]bool{}
	for _, id := range all {
		out[id] = true
	}
	return out, err
}

// deleteWraps takes up to limit wraps of a key from boxes of a desk's reports, but of those that the key reads through
// its other desk too. It says whether there may be more.
func deleteWraps(tx *db.Tx, desk string, key seal.KeyID, limit int) (more bool, err error) {
	if fail.Bug("removed-still-wrapped") {
		return false, nil
	}
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
	hashes, err := db.All(func(row db.Row) (h []byte, err error) {
		err = row.Scan(&h)
		return h, err
	}, rows, err)
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
func readOnce(q db.Querier, hash []byte) (id string, err error) {
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
