package screen

import (
	"errors"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// screeningsIn are answers behind a place and before a time, in the order of time.
func screeningsIn(a db.Querier, org polder.OrgID, at int64, id string, to int64, limit int) ([]keptScreening, error) {
	rows, err := a.Query(selectScreening+`WHERE org = ? AND (at, id) > (?, ?) AND at < ? ORDER BY at, id LIMIT ?`, string(org), at, id, to, limit)
	return db.All(scanScreening, rows, err)
}

// batchesMadeIn are batches behind a place and before a time.
func batchesMadeIn(a db.Querier, org polder.OrgID, made int64, id string, to int64, limit int) ([]keptBatch, error) {
	rows, err := a.Query(selectBatch+`WHERE org = ? AND (made, id) > (?, ?) AND made < ? ORDER BY made, id LIMIT ?`, string(org), made, id, to, limit)
	return db.All(scanBatch, rows, err)
}

// keptRows are rows of a batch behind one.
func keptRows(a db.Querier, batch int64, after, limit int) ([]keptRow, error) {
	rows, err := a.Query(selectBatchRow+`WHERE batch = ? AND row > ? ORDER BY row LIMIT ?`, batch, after, limit)
	return db.All(scanBatchRow, rows, err)
}

// runsIn are rescreenings behind a number that began in a period.
func runsIn(a db.Querier, org polder.OrgID, n, from, to int64, limit int) ([]keptRun, error) {
	rows, err := a.Query(selectRun+`WHERE org = ? AND n > ? AND started >= ? AND started < ? ORDER BY n LIMIT ?`, string(org), n, from, to, limit)
	return db.All(scanRun, rows, err)
}

// toldDecision is a line of a history with what was seen then.
type toldDecision struct {
	Decision
	n             int64
	party, group  string
	listing, name string
	query         Query
}

// decisionsIn are lines of histories behind a place and before a time, in the order of time.
func decisionsIn(a db.Querier, org polder.OrgID, at, n, to int64, limit int) ([]toldDecision, error) {
	rows, err := a.Query(`SELECT `+decisionColumns+`, d.n, r.party, r.grp, r.listing, s.query, s.hit FROM screen_decision d INDEXED BY screen_decision_at JOIN screen_review r ON r.n = d.review
		JOIN screen_snapshot s ON s.review = d.review AND s.n = d.snapshot WHERE d.org = ? AND (d.at, d.n) > (?, ?) AND d.at < ? ORDER BY d.at, d.n LIMIT ?`, string(org), at, n, to, limit)
	return db.All(scanTold, rows, err)
}

func scanTold(row db.Row) (d toldDecision, err error) {
	var at int64
	var query, hit, told string
	var seen struct {
		Name string `json:"name"`
	}
	err = row.Scan(&d.Review, &at, &d.By, (*string)(&d.Person), (*string)(&d.Token), (*string)(&d.Verdict), (*string)(&d.State), &d.Reason, &told, &d.Score, &d.List, &d.ListDate, &d.SHA256, &d.Snapshot,
		&d.n, &d.party, &d.group, &d.listing, &query, &hit)
	if err != nil {
		return d, err
	}
	d.At = fromStamp(at)
	err = errors.Join(unpack(query, &d.query), unpack(hit, &seen))
	d.name = seen.Name
	return d, err
}

// waitingIn are reviews that wait for a person, behind a place and made before a time.
func waitingIn(a db.Querier, org polder.OrgID, made int64, id string, to int64, limit int) ([]Review, error) {
	rows, err := a.Query(selectReview+`INDEXED BY screen_review_waits_made WHERE org = ? AND waits = 1 AND (made, id) > (?, ?) AND made < ? ORDER BY made, id LIMIT ?`, string(org), made, id, to, limit)
	return db.All(scanReview, rows, err)
}

// keptTombstone is a tombstone with its number.
type keptTombstone struct {
	Tombstone
	n int64
}

// tombstonesIn are tombstones behind a number and in a period.
func tombstonesIn(a db.Querier, org polder.OrgID, n, from, to int64, limit int) ([]keptTombstone, error) {
	rows, err := a.Query(`SELECT at, actor, ground, parties, screenings, reviews, decisions, rows, n FROM screen_tombstone WHERE org = ? AND n > ? AND at >= ? AND at < ? ORDER BY n LIMIT ?`, string(org), n, from, to, limit)
	return db.All(func(r db.Row) (t keptTombstone, err error) {
		var at int64
		err = r.Scan(&at, &t.By, (*string)(&t.Ground), &t.Parties, &t.Screenings, &t.Reviews, &t.Decisions, &t.Rows, &t.n)
		t.At = fromStamp(at)
		return t, err
	}, rows, err)
}

// recordSum is the numbers of a record.
type recordSum struct {
	screenings, screeningsHit int
	rows, rowsHit             int
	waiting                   int
	verdicts                  map[Verdict]int
}

// lines is about how many lines are printed of it.
func (s recordSum) lines() int {
	n := s.screenings + s.rowsHit + s.waiting
	for _, v := range s.verdicts {
		n += v
	}
	return n
}

func sumRecord(a db.Querier, org polder.OrgID, p Period) (s recordSum, err error) {
	from, to := stamp(p.From), stamp(p.To)
	s.verdicts = map[Verdict]int{}
	if err := a.QueryRow(`SELECT count(*), coalesce(sum(met > 0), 0) FROM screen_screening WHERE org = ? AND at >= ? AND at < ?`, string(org), from, to).Scan(&s.screenings, &s.screeningsHit); err != nil {
		return s, err
	}
	if err := a.QueryRow(`SELECT count(*), coalesce(sum(r.hits <> ''), 0) FROM screen_batch b JOIN screen_batch_row r ON r.batch = b.n WHERE b.org = ? AND b.made >= ? AND b.made < ?`, string(org), from, to).Scan(&s.rows, &s.rowsHit); err != nil {
		return s, err
	}
	if err := a.QueryRow(`SELECT count(*) FROM screen_review INDEXED BY screen_review_waits_made WHERE org = ? AND waits = 1 AND made < ?`, string(org), to).Scan(&s.waiting); err != nil {
		return s, err
	}
	rows, err := a.Query(`SELECT verdict, count(*) FROM screen_decision INDEXED BY screen_decision_at WHERE org = ? AND at >= ? AND at < ? GROUP BY verdict`, string(org), from, to)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	for rows.Next() {
		var v Verdict
		var n int
		if err := rows.Scan((*string)(&v), &n); err != nil {
			return s, err
		}
		s.verdicts[v] = n
	}
	return s, rows.Err()
}
