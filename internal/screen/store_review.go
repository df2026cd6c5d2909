package screen

import (
	"database/sql"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

const reviewColumns = `n, id, org, party, grp, batch, query, list, listing, name, score, why, state, question, verdict, actor, person, reason, decided, note, told, gone, made, changed, version, listed, asked, snapshot, checked`

const selectReview = `SELECT ` + reviewColumns + ` FROM screen_review `

var errNoReview = polder.Errorf(polder.NotFound, "no such review, or none of your organisation")

func scanReview(row db.Row) (r Review, err error) {
	var query, told string
	var decided, gone, made, changed int64
	err = row.Scan(&r.n, &r.ID, (*string)(&r.Org), &r.Party, &r.Group, &r.Batch, &query, &r.List, &r.Listing, &r.Name, &r.Score, &r.Why, (*string)(&r.State), &r.Question,
		(*string)(&r.Verdict), &r.By, (*string)(&r.person), &r.Reason, &decided, &r.Note, &told, &gone, &made, &changed, &r.Version, &r.listed, &r.asked, &r.current, &r.checked)
	if errors.Is(err, sql.ErrNoRows) {
		return r, errNoReview
	}
	if err != nil {
		return r, err
	}
	r.Decided, r.Gone, r.Made, r.Changed = fromStamp(decided), fromStamp(gone), fromStamp(made), fromStamp(changed)
	return r, errors.Join(unpack(query, &r.Query), unpack(told, &r.Told))
}

func readReview(a db.Querier, org polder.OrgID, id string) (Review, error) {
	return scanReview(a.QueryRow(selectReview+`WHERE id = ? AND org = ?`, id, string(org)))
}

// reviewOf is the review of a subject and a listing, if there is one.
func reviewOf(a db.Querier, org polder.OrgID, subject, list, listing string) (r Review, found bool, err error) {
	r, err = scanReview(a.QueryRow(selectReview+`WHERE org = ? AND subject = ? AND list = ? AND listing = ?`, string(org), subject, list, listing))
	if errors.Is(err, errNoReview) {
		return r, false, nil
	}
	return r, err == nil, err
}

// packedRemark is a remark as it lies in a table; "" for none.
func packedRemark(m Remark) (string, error) {
	if m.Kind == "" {
		return "", nil
	}
	return packed(m)
}

// folded is what a review is looked for by.
func (r Review) folded() string {
	return strings.ToLower(r.Query.Name + "\n" + r.Query.Ref + "\n" + r.Name + "\n" + r.Listing)
}

// insertReview adds a review and gives it its number.
func insertReview(tx *db.Tx, r *Review, subject string) error {
	query, err := packed(r.Query)
	if err != nil {
		return err
	}
	res, err := tx.Exec(`INSERT INTO screen_review (id, org, subject, party, grp, batch, query, folded, list, listing, name, score, why, state, waits, note, made, changed, version, listed, asked, snapshot, checked)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, string(r.Org), subject, r.Party, r.Group, r.Batch, query, r.folded(), r.List, r.Listing, r.Name, r.Score, r.Why, string(r.State), r.State.Waits(), r.Note,
		stamp(r.Made), stamp(r.Changed), r.Version, r.listed, r.asked, r.current, r.checked)
	if err != nil {
		return err
	}
	if r.n, err = res.LastInsertId(); err != nil {
		return err
	}
	return addTally(tx, r.n, 1)
}

// addTally counts a review as it lies in its table, or no longer.
func addTally(tx *db.Tx, review int64, by int) error {
	_, err := tx.Exec(`INSERT INTO screen_tally (org, state, list, grp, asked, n) SELECT org, state, list, grp, question <> '', ?2 FROM screen_review WHERE n = ?1
		ON CONFLICT (org, state, list, grp, asked) DO UPDATE SET n = n + excluded.n`, review, by)
	return err
}

func updateReview(tx *db.Tx, r Review) error {
	query, err := packed(r.Query)
	if err != nil {
		return err
	}
	told, err := packedRemark(r.Told)
	if err != nil {
		return err
	}
	if err := addTally(tx, r.n, -1); err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE screen_review SET grp = ?, query = ?, folded = ?, name = ?, score = ?, why = ?, state = ?, waits = ?, question = ?, verdict = ?, actor = ?, person = ?, reason = ?, decided = ?, note = ?, told = ?,
		gone = ?, changed = ?, version = ?, listed = ?, asked = ?, snapshot = ?, checked = ? WHERE n = ?`,
		r.Group, query, r.folded(), r.Name, r.Score, r.Why, string(r.State), r.State.Waits(), r.Question, string(r.Verdict), r.By, string(r.person), r.Reason, stamp(r.Decided), r.Note, told,
		stamp(r.Gone), stamp(r.Changed), r.Version, r.listed, r.asked, r.current, r.checked, r.n)
	if err != nil {
		return err
	}
	return addTally(tx, r.n, 1)
}

// deleteReview takes a review away with its snapshots and its history.
func deleteReview(tx *db.Tx, n int64) error {
	if err := addTally(tx, n, -1); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM screen_review WHERE n = ?`, n)
	return err
}

func insertSnapshot(tx *db.Tx, review int64, s Snapshot) error {
	query, err := packed(s.Query)
	if err != nil {
		return err
	}
	hit, err := packed(s.Hit)
	if err != nil {
		return err
	}
	listing, err := packed(s.Listing)
	if err != nil {
		return err
	}
	list, err := packed(s.List)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO screen_snapshot (review, n, at, threshold, query, hit, listing, list) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, review, s.N, stamp(s.At), s.Threshold, query, hit, listing, list)
	return err
}

const selectSnapshot = `SELECT n, at, threshold, query, hit, listing, list FROM screen_snapshot WHERE review = ? `

func scanSnapshot(row db.Row) (s Snapshot, err error) {
	var at int64
	var query, hit, listing, list string
	if err := row.Scan(&s.N, &at, &s.Threshold, &query, &hit, &listing, &list); err != nil {
		return s, err
	}
	s.At = fromStamp(at)
	if err := errors.Join(unpack(query, &s.Query), unpack(hit, &s.Hit), unpack(listing, &s.Listing), unpack(list, &s.List)); err != nil {
		return s, err
	}
	s.Hit.Listing = &s.Listing
	return s, nil
}

// mostSnapshots and mostHistory bound what a page shows of one review; the record has all.
const (
	mostSnapshots = 50
	mostHistory   = 500
)

// snapshotsOf are the newest of a review, the newest last.
func snapshotsOf(a db.Querier, review int64) ([]Snapshot, error) {
	rows, err := a.Query(`SELECT * FROM (`+selectSnapshot+`ORDER BY n DESC LIMIT ?) ORDER BY n`, review, mostSnapshots)
	return db.All(scanSnapshot, rows, err)
}

func readSnapshot(a db.Querier, review int64, n int) (Snapshot, error) {
	s, err := scanSnapshot(a.QueryRow(selectSnapshot+`AND n = ?`, review, n))
	if errors.Is(err, sql.ErrNoRows) {
		return Snapshot{}, nil
	}
	return s, err
}

// insertDecision adds a line to the history of a review as it is after it.
func insertDecision(tx *db.Tx, r Review, d Decision) error {
	told, err := packedRemark(d.Told)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO screen_decision (org, review, at, actor, person, token, verdict, state, reason, told, score, list_date, sha256, snapshot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(r.Org), r.n, stamp(d.At), d.By, string(d.Person), string(d.Token), string(d.Verdict), string(r.State), d.Reason, told, r.Score, d.ListDate, d.SHA256, r.current)
	return err
}

const decisionColumns = `r.id, d.at, d.actor, d.person, d.token, d.verdict, d.state, d.reason, d.told, d.score, r.list, d.list_date, d.sha256, d.snapshot`

func scanDecision(row db.Row) (d Decision, err error) {
	var at int64
	var told string
	err = row.Scan(&d.Review, &at, &d.By, (*string)(&d.Person), (*string)(&d.Token), (*string)(&d.Verdict), (*string)(&d.State), &d.Reason, &told, &d.Score, &d.List, &d.ListDate, &d.SHA256, &d.Snapshot)
	d.At = fromStamp(at)
	if err == nil {
		err = unpack(told, &d.Told)
	}
	return d, err
}

// historyOf is the newest part of the history of a review, the newest last.
func historyOf(a db.Querier, review int64) ([]Decision, error) {
	rows, err := a.Query(`SELECT `+decisionColumns+` FROM screen_decision d JOIN screen_review r ON r.n = d.review WHERE d.review = ? ORDER BY d.n DESC LIMIT ?`, review, mostHistory)
	out, err := db.All(scanDecision, rows, err)
	slices.Reverse(out)
	return out, err
}

// The conditions of the queue. A page begins behind a place that always is one, so that the index is read from there.
const (
	queueFilters = ` AND (?3 = '' OR list = ?3) AND (?4 = '' OR grp = ?4) AND (?5 = '' OR party = ?5) AND (?6 = '' OR batch = ?6) AND (?7 = '' OR instr(folded, ?7) > 0)
	AND (?8 = 0 OR question <> '') AND (?9 = '' OR state = 'second' AND person <> ?9) `
	queueScope = ` AND (?2 = 'all' OR ?2 = '' AND waits = 1 OR state = ?2) `

	byScore = ` AND (score, id) < (?10, ?11) ORDER BY score DESC, id DESC LIMIT ?12`
	byNew   = ` AND (made, id) < (?10, ?11) ORDER BY made DESC, id DESC LIMIT ?12`
	byOld   = ` AND (made, id) > (?10, ?11) ORDER BY made, id LIMIT ?12`

	queueParty = selectReview + `INDEXED BY screen_review_party WHERE org = ?1 AND party = ?5 AND party <> ''` + queueScope + queueFilters
	queueBatch = selectReview + `INDEXED BY screen_review_batch WHERE org = ?1 AND batch = ?6 AND batch <> ''` + queueScope + queueFilters
)

// queueTexts are the statements of the queue, by scope and order.
var queueTexts = map[string]map[string]string{
	"list": {
		"-score": selectReview + `INDEXED BY screen_review_list_score WHERE org = ?1 AND waits = 1 AND ?2 = ''` + queueFilters + ` AND list = ?3` + byScore,
	},
	"waits": {
		"-score": selectReview + `INDEXED BY screen_review_waits_score WHERE org = ?1 AND waits = 1 AND ?2 = ''` + queueFilters + byScore,
		"-made":  selectReview + `INDEXED BY screen_review_waits_made WHERE org = ?1 AND waits = 1 AND ?2 = ''` + queueFilters + byNew,
		"made":   selectReview + `INDEXED BY screen_review_waits_made WHERE org = ?1 AND waits = 1 AND ?2 = ''` + queueFilters + byOld,
	},
	"state": {
		"-score": selectReview + `INDEXED BY screen_review_state_score WHERE org = ?1 AND state = ?2` + queueFilters + byScore,
		"-made":  selectReview + `INDEXED BY screen_review_state_made WHERE org = ?1 AND state = ?2` + queueFilters + byNew,
		"made":   selectReview + `INDEXED BY screen_review_state_made WHERE org = ?1 AND state = ?2` + queueFilters + byOld,
	},
	"all": {
		"-score": selectReview + `INDEXED BY screen_review_score WHERE org = ?1 AND ?2 = 'all'` + queueFilters + byScore,
		"-made":  selectReview + `INDEXED BY screen_review_made WHERE org = ?1 AND ?2 = 'all'` + queueFilters + byNew,
		"made":   selectReview + `INDEXED BY screen_review_made WHERE org = ?1 AND ?2 = 'all'` + queueFilters + byOld,
	},
	"party": {"-score": queueParty + byScore, "-made": queueParty + byNew, "made": queueParty + byOld},
	"batch": {"-score": queueBatch + byScore, "-made": queueBatch + byNew, "made": queueBatch + byOld},
}

// scope is which of the statements a filter asks for.
func (f QueueFilter) scope() string {
	switch {
	case f.Party != "":
		return "party"
	case f.Batch != "":
		return "batch"
	case f.State == "" && f.List != "" && f.Sort == QueueSorts[0]:
		return "list"
	case f.State == "":
		return "waits"
	case f.State == "all":
		return "all"
	}
	return "state"
}

var errNoPlace = polder.Errorf(polder.Invalid, "next: is no place in the list; begin at its first page")

// place is behind what a page begins.
func (f QueueFilter) place() (value any, id string, err error) {
	if f.Next == "" {
		switch f.Sort {
		case "-score":
			return float64(9), "", nil
		case "-made":
			return int64(math.MaxInt64), "", nil
		}
		return int64(-1), "", nil
	}
	text, id, ok := strings.Cut(f.Next, "_")
	if !ok || len(f.Next) > 100 {
		return nil, "", errNoPlace
	}
	if f.Sort == "-score" {
		value, err = strconv.ParseFloat(text, 64)
	} else {
		value, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		return nil, "", errNoPlace
	}
	return value, id, nil
}

// behind is the place behind a review.
func (f QueueFilter) behind(r Review) string {
	if f.Sort == "-score" {
		return strconv.FormatFloat(r.Score, 'g', -1, 64) + "_" + r.ID
	}
	return strconv.FormatInt(stamp(r.Made), 10) + "_" + r.ID
}

func listQueue(a db.Querier, by polder.Actor, f QueueFilter) (p QueuePage, err error) {
	value, id, err := f.place()
	if err != nil {
		return p, err
	}
	notBy := ""
	if f.Second {
		notBy = string(by.Person)
	}
	rows, err := a.Query(queueTexts[f.scope()][f.Sort], string(by.Org), f.State, f.List, f.Group, f.Party, f.Batch, strings.ToLower(strings.TrimSpace(f.Text)), f.Asked, notBy, value, id, f.Limit+1)
	p.Reviews, err = db.All(scanReview, rows, err)
	if len(p.Reviews) > f.Limit {
		p.Reviews = p.Reviews[:f.Limit]
		p.Next = f.behind(p.Reviews[f.Limit-1])
	}
	return p, err
}

func countQueue(a db.Querier, org polder.OrgID) (c QueueCounts, err error) {
	c = QueueCounts{States: map[State]int{}, Lists: map[string]int{}, Groups: map[string]int{}}
	rows, err := a.Query(`SELECT state, list, grp, asked, n FROM screen_tally WHERE org = ? AND n <> 0`, string(org))
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var state State
		var list, group string
		var question bool
		var n int
		if err := rows.Scan((*string)(&state), &list, &group, &question, &n); err != nil {
			return c, err
		}
		c.States[state] += n
		if !state.Waits() {
			continue
		}
		c.Lists[list] += n
		c.Groups[group] += n
		if question {
			c.Asked += n
		}
	}
	return c, rows.Err()
}

func countWaiting(a db.Querier, org polder.OrgID) (n int, err error) {
	err = a.QueryRow(`SELECT coalesce(sum(n), 0) FROM screen_tally WHERE org = ? AND state IN ('open', 'second')`, string(org)).Scan(&n)
	return n, err
}

// keptMeta is what is kept of a list that was asked.
func keptMeta(m lists.Meta) lists.Meta {
	m.Notes, m.Read, m.Licence = nil, time.Time{}, ""
	m.Title, m.Source = clipKept(m.Title, maxShort), clipKept(m.Source, maxShort)
	return m
}
