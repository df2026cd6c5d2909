package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// readProfile is by which rules a case is counted; ok is false where nothing was stored.
func readProfile(a db.Querier, id CaseID) (p DeadlineProfile, ok bool, err error) {
	var jurisdictions, sectors, kinds string
	var changed int64
	err = a.QueryRow(`SELECT jurisdictions, sectors, kinds, serious, chosen_by, changed, version FROM cases_duty WHERE case_id = ?`, string(id)).
		Scan(&jurisdictions, &sectors, &kinds, &p.Serious, &p.By, &changed, &p.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return DeadlineProfile{}, false, nil
	}
	if err != nil {
		return p, false, err
	}
	p.Changed, p.Proposed = caseTime(changed), p.By == ""
	return p, true, errors.Join(json.Unmarshal([]byte(jurisdictions), &p.Jurisdictions), json.Unmarshal([]byte(sectors), &p.Sectors), json.Unmarshal([]byte(kinds), &p.Kinds))
}

func writeProfile(tx *db.Tx, id CaseID, org polder.OrgID, p DeadlineProfile) error {
	var lists [3]string
	for i, l := range [][]string{p.Jurisdictions, p.Sectors, p.Kinds} {
		raw, err := json.Marshal(l)
		if err != nil {
			return err
		}
		lists[i] = string(raw)
	}
	_, err := tx.Exec(`INSERT INTO cases_duty (case_id, org, jurisdictions, sectors, kinds, serious, chosen_by, changed, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (case_id) DO UPDATE SET jurisdictions = excluded.jurisdictions, sectors = excluded.sectors, kinds = excluded.kinds, serious = excluded.serious, chosen_by = excluded.chosen_by,
			changed = excluded.changed, version = excluded.version`, string(id), string(org), lists[0], lists[1], lists[2], p.Serious, string(p.By), caseStamp(p.Changed), p.Version)
	return err
}

// addAware adds a row to the history of awareness.
func addAware(tx *db.Tx, id CaseID, c AwareChange) error {
	_, err := tx.Exec(`INSERT INTO cases_aware (case_id, n, at, made, person, reason) SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5 FROM cases_aware WHERE case_id = ?1`,
		string(id), caseStamp(c.At), caseStamp(c.Made), string(c.By), c.Reason)
	return err
}

func listAware(a db.Querier, id CaseID) ([]AwareChange, error) {
	rows, err := a.Query(`SELECT at, made, person, reason FROM cases_aware WHERE case_id = ? ORDER BY n`, string(id))
	return db.All(func(row db.Row) (c AwareChange, err error) {
		var at, made int64
		err = row.Scan(&at, &made, &c.By, &c.Reason)
		c.At, c.Made = caseTime(at), caseTime(made)
		return c, err
	}, rows, err)
}

func addCaseEvent(tx *db.Tx, id CaseID, e CaseEvent) error {
	_, err := tx.Exec(`INSERT INTO cases_event (case_id, n, name, at, made, person) SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5 FROM cases_event WHERE case_id = ?1`,
		string(id), e.Name, caseStamp(e.At), caseStamp(e.Made), string(e.By))
	return err
}

// strikeCaseEvent has an event count no more; ok is false where there is none that does.
func strikeCaseEvent(tx *db.Tx, id CaseID, n int, reason string) (ok bool, err error) {
	r, err := tx.Exec(`UPDATE cases_event SET struck = 1, reason = ? WHERE case_id = ? AND n = ? AND struck = 0`, reason, string(id), n)
	if err != nil {
		return false, err
	}
	changed, err := r.RowsAffected()
	return changed > 0, err
}

func listCaseEvents(a db.Querier, id CaseID) ([]CaseEvent, error) {
	rows, err := a.Query(`SELECT n, name, at, made, person, struck, reason FROM cases_event WHERE case_id = ? ORDER BY n`, string(id))
	return db.All(func(row db.Row) (e CaseEvent, err error) {
		var at, made int64
		err = row.Scan(&e.N, &e.Name, &at, &made, &e.By, &e.Struck, &e.Reason)
		e.At, e.Made = caseTime(at), caseTime(made)
		return e, err
	}, rows, err)
}

// deadlineRow is a deadline as it is kept.
type deadlineRow struct {
	CaseDeadline
	org  polder.OrgID
	mark string
}

const deadlineColumns = `d.case_id, d.rule, d.org, d.start, d.due, d.said, d.mark, d.sent, d.reference, d.reason, d.person, d.late, d.fired, d.gone, d.version`

func scanDeadline(row db.Row, more ...any) (r deadlineRow, err error) {
	var id, rule, said string
	var start, due, sent, late, fired int64
	var gone bool
	var reference, reason, person string
	var version int
	into := []any{&id, &rule, &r.org, &start, &due, &said, &r.mark, &sent, &reference, &reason, &person, &late, &fired, &gone, &version}
	if err = row.Scan(append(into, more...)...); err != nil {
		return r, err
	}
	err = json.Unmarshal([]byte(said), &r.CaseDeadline)
	d := &r.CaseDeadline
	d.Case, d.Rule, d.Start, d.Due, d.Sent = CaseID(id), rule, caseTime(start), caseTime(due), caseTime(sent)
	d.Reference, d.Reason, d.By, d.Gone, d.Version = reference, reason, polder.PersonID(person), gone, version
	d.late, d.fired = caseTime(late), caseTime(fired)
	return r, err
}

// listDeadlines are those of a case, the earliest first, those without a time last.
func listDeadlines(a db.Querier, id CaseID) ([]deadlineRow, error) {
	rows, err := a.Query(`SELECT `+deadlineColumns+` FROM cases_deadline d WHERE d.case_id = ? ORDER BY d.due = 0, d.due, d.rule`, string(id))
	return db.All(func(row db.Row) (deadlineRow, error) { return scanDeadline(row) }, rows, err)
}

// readDeadline is one deadline of a case; [polder.ErrNotFound] where there is none.
func readDeadline(a db.Querier, id CaseID, rule string) (deadlineRow, error) {
	r, err := scanDeadline(a.QueryRow(`SELECT `+deadlineColumns+` FROM cases_deadline d WHERE d.case_id = ? AND d.rule = ?`, string(id), rule))
	if errors.Is(err, sql.ErrNoRows) {
		return r, polder.Errorf(polder.NotFound, "the case has no deadline of that name; its page lists them")
	}
	return r, err
}

// writeDeadline stores a deadline as it is now.
func writeDeadline(tx *db.Tx, r deadlineRow) error {
	d := r.CaseDeadline
	kept := CaseDeadline{Regulation: d.Regulation, What: d.What, WhatNL: d.WhatNL, Article: d.Article, Source: d.Source, Recipient: d.Recipient, Form: d.Form, Delay: d.Delay, Status: d.Status, Note: d.Note,
		Why: d.Why, Zone: d.Zone, Estimated: d.Estimated, Hours: d.Hours, Waits: d.Waits}
	said, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_deadline (case_id, rule, org, start, due, said, mark, sent, reference, reason, person, late, fired, gone, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (case_id, rule) DO UPDATE SET start = excluded.start, due = excluded.due, said = excluded.said, mark = excluded.mark, sent = excluded.sent, reference = excluded.reference,
			reason = excluded.reason, person = excluded.person, late = excluded.late, fired = excluded.fired, gone = excluded.gone, version = excluded.version`,
		string(d.Case), d.Rule, string(r.org), caseStamp(d.Start), caseStamp(d.Due), string(said), r.mark, caseStamp(d.Sent), d.Reference, d.Reason, string(d.By), caseStamp(d.late), caseStamp(d.fired), d.Gone, d.Version)
	return err
}

func deleteDeadline(tx *db.Tx, id CaseID, rule string) error {
	_, err := tx.Exec(`DELETE FROM cases_deadline WHERE case_id = ? AND rule = ?`, string(id), rule)
	return err
}

// sqlOpenDeadlines are the open deadlines of open cases of the viewer's own organisation, of which it may see the fields.
// ?1 is the viewer's person, ?2 its organisation.
const sqlOpenDeadlines = ` FROM cases_deadline d JOIN cases_case c ON c.id = d.case_id JOIN cases_member m ON m.case_n = c.n
	WHERE d.org = ?2 AND d.mark = '' AND d.gone = 0 AND c.org = ?2 AND c.status <> 'closed' AND ` + caseSeat + ` AND m.part <> 'contact-point' AND ` + caseOpen

// sqlOver is the condition that a deadline with a time is over; ?3 is now.
const sqlOver = `d.due > 0 AND (d.due < ?3 OR d.late > 0)`

// openDeadlines are open deadlines of all cases that the viewer sees: those with a time first, the earliest first. Every
// page of the console asks; SQLite looks at the value of a bare LIMIT ? when it plans, and so would plan anew each time.
func openDeadlines(a db.Querier, v caseViewer, now time.Time, f DeadlineFilter) ([]deadlineRow, error) {
	rows, err := a.Query(`SELECT `+deadlineColumns+`, c.title`+sqlOpenDeadlines+` AND (?4 = 0 OR `+sqlOver+`) AND (?5 = 0 OR d.due > 0 AND d.due <= ?5)
		ORDER BY d.due = 0, d.due, d.case_id, d.rule LIMIT ?6 + 0`, string(v.person), string(v.org), caseStamp(now), f.Late, caseStamp(f.Until), f.Limit)
	return db.All(func(row db.Row) (deadlineRow, error) {
		var title string
		r, err := scanDeadline(row, &title)
		r.CaseTitle = title
		return r, err
	}, rows, err)
}

// countOpenDeadlines counts the deadlines that openDeadlines would list without a limit, and of them those that are over.
func countOpenDeadlines(a db.Querier, v caseViewer, now time.Time) (open, late int, err error) {
	err = a.QueryRow(`SELECT count(*), coalesce(sum(`+sqlOver+`), 0)`+sqlOpenDeadlines, string(v.person), string(v.org), caseStamp(now)).Scan(&open, &late)
	return open, late, err
}

// caseWorkers are the people of the case's organisation who work on it and see its fields.
func caseWorkers(a db.Querier, id CaseID) ([]polder.PersonID, error) {
	rows, err := a.Query(`SELECT m.who FROM cases_case c JOIN cases_member m ON m.case_n = c.n WHERE c.id = ? AND m.is_org = 0 AND m.part IN ('lead', 'work') AND `+caseOpen+` ORDER BY m.who`, string(id))
	return db.All(func(row db.Row) (p polder.PersonID, err error) { return p, row.Scan(&p) }, rows, err)
}
