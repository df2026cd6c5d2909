package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

const itemColumns = `i.n, i.id, c.id, i.kind, i.level, i.at, i.title, i.text, i.body, i.version, i.made, i.made_by, i.changed, i.changed_by, i.org, i.weighs, i.struck, i.erased`

// itemRow is an item as it is kept.
type itemRow struct {
	Item
	n int64
}

// itemBody is what the kind of an item adds, as JSON. Custody has a table of its own.
type itemBody struct {
	Observable *Observable `json:"observable,omitempty"`
	Evidence   *Evidence   `json:"evidence,omitempty"`
	Task       *Task       `json:"task,omitempty"`
	Decision   *Decision   `json:"decision,omitempty"`
	Link       *Link       `json:"link,omitempty"`
}

func (it Item) body() (string, error) {
	b := itemBody{it.Observable, it.Evidence, it.Task, it.Decision, it.Link}
	if b.Evidence != nil {
		e := *b.Evidence
		e.Custody = nil
		b.Evidence = &e
	}
	text, err := json.Marshal(b)
	return string(text), err
}

func scanItem(row db.Row, more ...any) (r itemRow, err error) {
	var at, made, changed, struck int64
	var text string
	into := []any{&r.n, &r.ID, &r.Case, &r.Kind, &r.Level, &at, &r.Title, &r.Text, &text, &r.Version, &made, &r.MadeBy, &changed, &r.By, &r.Org, &r.Weighs, &struck, &r.Erased}
	if err = row.Scan(append(into, more...)...); err != nil {
		return r, err
	}
	r.At, r.Made, r.Changed, r.Struck = caseTime(at), caseTime(made), caseTime(changed), caseTime(struck)
	var body itemBody
	if err = json.Unmarshal([]byte(text), &body); err != nil {
		return r, err
	}
	r.Observable, r.Evidence, r.Task, r.Decision, r.Link = body.Observable, body.Evidence, body.Task, body.Decision, body.Link
	return r, nil
}

func scanPlainItem(row db.Row) (itemRow, error) { return scanItem(row) }

var errNoItem = polder.Errorf(polder.NotFound, "no such item in this case, or none that you see")

// itemSource is where the items that somebody sees come from.
const itemSource = ` FROM cases_case c JOIN cases_member m ON m.case_n = c.n JOIN cases_item i ON i.case_n = c.n WHERE `

// readItem is an item of a case that the viewer sees.
func readItem(a db.Querier, v caseViewer, id CaseID, item string) (itemRow, error) {
	sight := itemSight
	if fail.Bug("ceiling-of-lists") {
		sight = caseSeat
	}
	r, err := scanItem(a.QueryRow(`SELECT `+itemColumns+itemSource+`i.id = ?4 AND c.id = ?3 AND `+sight, string(v.person), string(v.org), string(id), item))
	if errors.Is(err, sql.ErrNoRows) {
		return r, errNoItem
	}
	return r, err
}

// itemKey is what an item is found by besides its words.
func (it Item) itemKey() (value, owner, target, supersedes string) {
	if !it.Struck.IsZero() || it.Erased {
		return "", "", "", ""
	}
	switch {
	case it.Observable != nil:
		value = it.Observable.Value
	case it.Task != nil && it.Task.Done.IsZero():
		owner = string(it.Task.Owner)
	case it.Link != nil:
		target = string(it.Link.To)
	case it.Decision != nil:
		supersedes = it.Decision.Supersedes
	}
	return value, owner, target, supersedes
}

func insertItem(tx *db.Tx, n int64, it Item) (int64, error) {
	body, err := it.body()
	if err != nil {
		return 0, err
	}
	value, owner, target, supersedes := it.itemKey()
	res, err := tx.Exec(`INSERT INTO cases_item (id, case_n, kind, level, at, title, text, folded, body, value, owner, target, supersedes, version, made, made_by, changed, changed_by, org, weighs, struck, erased)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, it.ID, n, string(it.Kind), int(it.Level), caseStamp(it.At), it.Title, it.Text, it.folded(), body, value, owner, target, supersedes,
		it.Version, caseStamp(it.Made), string(it.MadeBy), caseStamp(it.Changed), string(it.By), string(it.Org), it.Weighs, caseStamp(it.Struck), it.Erased)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func updateItem(tx *db.Tx, n int64, it Item) error {
	body, err := it.body()
	if err != nil {
		return err
	}
	value, owner, target, supersedes := it.itemKey()
	if it.Kind == ItemLink && it.Link != nil {
		target = string(it.Link.To) // sight of a link goes by it, struck out or not
	}
	_, err = tx.Exec(`UPDATE cases_item SET level = ?, at = ?, title = ?, text = ?, folded = ?, body = ?, value = ?, owner = ?, target = ?, supersedes = ?, version = ?, changed = ?, changed_by = ?, weighs = ?, struck = ?, erased = ? WHERE n = ?`,
		int(it.Level), caseStamp(it.At), it.Title, it.Text, it.folded(), body, value, owner, target, supersedes, it.Version, caseStamp(it.Changed), string(it.By), it.Weighs, caseStamp(it.Struck), it.Erased, n)
	return err
}

// The lists of items: ?4 is a text, ?5 whether those that were struck out count, ?6 and ?7 the place where the page begins,
// ?8 how many are asked for, ?9 the kinds as ",note,task,".
const (
	itemList = `SELECT ` + itemColumns + ` FROM cases_case c CROSS JOIN cases_member m ON m.case_n = c.n CROSS JOIN cases_item i ON i.case_n = c.n WHERE c.id = ?3 AND ` + itemSight + `
		AND (?4 = '' OR instr(i.folded, ?4) > 0) AND (?5 = 1 OR i.struck = 0) AND (?9 = '' OR instr(?9, ',' || i.kind || ',') > 0)`
	itemsLatest = itemList + ` AND (i.at, i.n) < (?6, ?7) ORDER BY i.at DESC, i.n DESC LIMIT ?8`
	itemsOldest = itemList + ` AND (i.at, i.n) > (?6, ?7) ORDER BY i.at, i.n LIMIT ?8`
)

// listItems is a page of the items that the viewer sees of a case.
func listItems(a db.Querier, v caseViewer, id CaseID, f ItemFilter) ([]itemRow, error) {
	list, at, n := itemsLatest, int64(1<<62-1), int64(1<<62-1)
	if f.Oldest {
		list, at, n = itemsOldest, -1, -1
	}
	if f.Next != "" {
		last, err := readItem(a, v, id, f.Next)
		if err != nil {
			return nil, errCasePlace
		}
		at, n = caseStamp(last.At), last.n
	}
	kinds := ""
	for _, k := range f.Kinds {
		kinds += "," + string(k) + ","
	}
	rows, err := a.Query(list, string(v.person), string(v.org), string(id), strings.ToLower(strings.TrimSpace(f.Text)), f.Struck, at, n, f.Limit+1, kinds)
	return db.All(scanPlainItem, rows, err)
}

// countItems counts the items of a case that the viewer sees and that count, by kind.
func countItems(a db.Querier, v caseViewer, id CaseID) (map[ItemKind]int, error) {
	rows, err := a.Query(`SELECT i.kind, count(*)`+itemSource+`c.id = ?3 AND i.struck = 0 AND `+itemSight+` GROUP BY i.kind`, string(v.person), string(v.org), string(id))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[ItemKind]int{}
	for rows.Next() {
		var kind ItemKind
		var n int
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, err
		}
		out[kind] = n
	}
	return out, rows.Err()
}

// searchItems are items of all cases of the viewer that hold a text.
func searchItems(a db.Querier, v caseViewer, text string, limit int) ([]itemRow, error) {
	rows, err := a.Query(`SELECT `+itemColumns+` FROM cases_member m CROSS JOIN cases_case c ON c.n = m.case_n CROSS JOIN cases_item i ON i.case_n = c.n
		WHERE ((m.is_org = 0 AND m.who = ?1) OR (m.is_org = 1 AND m.who = ?2)) AND i.struck = 0 AND instr(i.folded, ?3) > 0 AND `+itemSight+` ORDER BY i.changed DESC, i.n DESC LIMIT ?4`, string(v.person), string(v.org), strings.ToLower(text), limit)
	return db.All(scanPlainItem, rows, err)
}

// tasksOf are the open tasks of the viewer's person, the most urgent first.
func tasksOf(a db.Querier, v caseViewer, limit int) ([]CaseTask, error) {
	rows, err := a.Query(`SELECT `+itemColumns+`, `+caseColumns+`, `+memberColumns+` FROM cases_item i JOIN cases_case c ON c.n = i.case_n JOIN cases_member m ON m.case_n = c.n
		WHERE i.owner = ?1 AND i.owner <> '' AND i.struck = 0 AND c.status <> 'closed' AND `+itemSight+` ORDER BY i.at = 0, i.at, i.n LIMIT ?3`, string(v.person), string(v.org), limit)
	return db.All(func(row db.Row) (t CaseTask, err error) {
		var r caseHeld
		into, done := memberScan()
		both := taskScan{row: row, more: into, r: &r}
		item, err := scanItem(&both)
		if err != nil {
			return t, err
		}
		r.member = done()
		return CaseTask{Case: r.ref(v), Item: item.Item}, nil
	}, rows, err)
}

// taskScan reads an item and its case out of one row.
type taskScan struct {
	row  db.Row
	more []any
	r    *caseHeld
}

func (t *taskScan) Scan(item ...any) (err error) {
	*t.r, err = scanCase(caseScanFunc(func(fields ...any) error { return t.row.Scan(append(item, fields...)...) }), t.more...)
	return err
}

// caseScanFunc is a function that scans.
type caseScanFunc func(dest ...any) error

// Scan is what a row does.
func (f caseScanFunc) Scan(dest ...any) error { return f(dest...) }

// sameValue is an observable of the case that the viewer sees, with that value, marked as wide as level or wider.
func sameValue(a db.Querier, v caseViewer, id CaseID, value string, level int) (r itemRow, found bool, err error) {
	r, err = scanItem(a.QueryRow(`SELECT `+itemColumns+itemSource+`i.value = ?4 AND i.value <> '' AND i.struck = 0 AND i.level <= ?5 AND c.id = ?3 AND `+itemSight+` ORDER BY i.level, i.n LIMIT 1`, string(v.person), string(v.org), string(id), value, level))
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// supersededBy is the decision that took the place of one, where the viewer sees it.
func supersededBy(a db.Querier, v caseViewer, item string) (by string, err error) {
	err = a.QueryRow(`SELECT i.id`+itemSource+`i.supersedes = ?3 AND i.supersedes <> '' AND `+itemSight+` ORDER BY i.n DESC LIMIT 1`, string(v.person), string(v.org), item).Scan(&by)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return by, err
}

// caseValues are the values of the observables of a case that the viewer sees.
func caseValues(a db.Querier, v caseViewer, id CaseID) ([]string, error) {
	rows, err := a.Query(`SELECT DISTINCT i.value`+itemSource+`c.id = ?3 AND i.value <> '' AND i.struck = 0 AND `+itemSight+` ORDER BY i.n DESC LIMIT 5000`, string(v.person), string(v.org), string(id))
	return db.All(func(r db.Row) (text string, err error) { return text, r.Scan(&text) }, rows, err)
}

// tellingItems are items of a case that the viewer sees, that are marked stricter than level, and whose value or title
// stands in a text in lower case; evidence and links always.
func tellingItems(a db.Querier, v caseViewer, id CaseID, level int, text string) ([]itemRow, error) {
	rows, err := a.Query(`SELECT `+itemColumns+itemSource+`c.id = ?3 AND i.struck = 0 AND i.level > ?4 AND (i.kind IN ('evidence', 'link') OR i.value <> '' AND instr(?5, lower(i.value)) > 0 OR i.value = '' AND instr(?5, lower(i.title)) > 0) AND `+itemSight+` ORDER BY i.n DESC LIMIT 5000`,
		string(v.person), string(v.org), string(id), level, text)
	return db.All(scanPlainItem, rows, err)
}

// custodyOf are the steps of evidence, in their order.
func custodyOf(a db.Querier, n int64) ([]Custody, error) {
	rows, err := a.Query(`SELECT at, person, did, whom, reason FROM cases_custody WHERE item_n = ? ORDER BY n`, n)
	return db.All(func(r db.Row) (c Custody, err error) {
		var at int64
		err = r.Scan(&at, &c.Person, &c.Did, &c.To, &c.Reason)
		c.At = caseTime(at)
		return c, err
	}, rows, err)
}

func insertCustody(tx *db.Tx, n int64, v caseViewer, c Custody) error {
	_, err := tx.Exec(`INSERT INTO cases_custody (item_n, at, person, org, did, whom, reason) VALUES (?, ?, ?, ?, ?, ?, ?)`, n, caseStamp(c.At), string(v.person), string(v.org), c.Did, c.To, c.Reason)
	return err
}

// caseOfReport is the case of a report, where the viewer is in it and sees its fields.
func caseOfReport(a db.Querier, v caseViewer, report string) (id CaseID, found bool, err error) {
	err = a.QueryRow(`SELECT c.id FROM cases_case c JOIN cases_member m ON m.case_n = c.n WHERE c.report = ?3 AND c.report <> '' AND c.org = ?2 AND `+caseSeat+` AND `+caseOpen+` ORDER BY c.n DESC LIMIT 1`, string(v.person), string(v.org), report).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}
