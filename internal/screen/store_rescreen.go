package screen

import (
	"database/sql"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// findAgainst is the number of what asking now would be asked with; 0 when nothing was asked with it yet.
func findAgainst(a db.Querier, org polder.OrgID, g against) (n int64, err error) {
	err = a.QueryRow(`SELECT n FROM screen_against WHERE org = ? AND key = ?`, string(org), g.key()).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// keepingOrgs are the organisations that have anything here. Each index is only touched once for each organisation.
func keepingOrgs(a db.Querier) ([]polder.OrgID, error) {
	rows, err := a.Query(`WITH RECURSIVE
		p(x) AS (SELECT min(org) FROM screen_party UNION ALL SELECT (SELECT min(org) FROM screen_party WHERE org > x) FROM p WHERE x IS NOT NULL),
		r(x) AS (SELECT min(org) FROM screen_review UNION ALL SELECT (SELECT min(org) FROM screen_review WHERE org > x) FROM r WHERE x IS NOT NULL),
		c(x) AS (SELECT min(org) FROM screen_screening UNION ALL SELECT (SELECT min(org) FROM screen_screening WHERE org > x) FROM c WHERE x IS NOT NULL),
		b(x) AS (SELECT min(org) FROM screen_batch UNION ALL SELECT (SELECT min(org) FROM screen_batch WHERE org > x) FROM b WHERE x IS NOT NULL)
		SELECT x FROM p WHERE x IS NOT NULL UNION SELECT x FROM r WHERE x IS NOT NULL UNION SELECT x FROM c WHERE x IS NOT NULL UNION SELECT x FROM b WHERE x IS NOT NULL`)
	return db.All(func(r db.Row) (o polder.OrgID, err error) { return o, r.Scan((*string)(&o)) }, rows, err)
}

// uncheckedReviews are reviews of a list that were not yet held against its present version.
func uncheckedReviews(a db.Querier, org polder.OrgID, list, sha256 string, limit int) ([]Review, error) {
	rows, err := a.Query(`SELECT `+reviewColumns+` FROM (SELECT * FROM screen_review WHERE org = ?1 AND list = ?2 AND checked < ?3 UNION ALL SELECT * FROM screen_review WHERE org = ?1 AND list = ?2 AND checked > ?3) LIMIT ?4`,
		string(org), list, sha256, limit)
	return db.All(scanReview, rows, err)
}

// unmetReviews are reviews of a party that were opened, or last met, with other fields than it has now.
func unmetReviews(a db.Querier, party, fingerprint string, limit int) ([]Review, error) {
	rows, err := a.Query(selectReview+`WHERE party = ? AND party <> '' AND asked <> ? LIMIT ?`, party, fingerprint, limit)
	return db.All(scanReview, rows, err)
}

// forsaken are parties that were removed while reviews about them still wait.
func forsaken(a db.Querier, org polder.OrgID, limit int) ([]string, error) {
	rows, err := a.Query(`SELECT id FROM screen_party WHERE org = ? AND against = -1 AND EXISTS (SELECT 1 FROM screen_review WHERE party = screen_party.id AND party <> '' AND state IN ('open', 'second')) LIMIT ?`, string(org), limit)
	return db.All(func(r db.Row) (id string, err error) { return id, r.Scan(&id) }, rows, err)
}

// countAgainst is how many known parties were asked against what.
func countAgainst(a db.Querier, org polder.OrgID) (map[int64]int, error) {
	rows, err := a.Query(`SELECT against, count(*) FROM screen_party WHERE org = ? AND against >= 0 GROUP BY against`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]int{}
	for rows.Next() {
		var g int64
		var n int
		if err := rows.Scan(&g, &n); err != nil {
			return nil, err
		}
		out[g] = n
	}
	return out, rows.Err()
}

// addRun counts what was done in the rescreening that runs against g; the first count begins it, and ends one that
// ran against something else.
func addRun(tx *db.Tx, org polder.OrgID, g int64, r Rescreening, now time.Time) error {
	res, err := tx.Exec(`UPDATE screen_rescreening SET parties = parties + ?, entries = max(entries, ?), opened = opened + ?, reopened = reopened + ?, unlisted = unlisted + ? WHERE org = ? AND against = ? AND ended = 0`,
		r.Parties, r.Entries, r.Opened, r.Reopened, r.Unlisted, string(org), g)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	if err := endRuns(tx, org, now); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO screen_rescreening (org, started, against, parties, entries, opened, reopened, unlisted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		string(org), stamp(now), g, r.Parties, r.Entries, r.Opened, r.Reopened, r.Unlisted)
	return err
}

func endRuns(tx *db.Tx, org polder.OrgID, now time.Time) error {
	_, err := tx.Exec(`UPDATE screen_rescreening SET ended = ? WHERE org = ? AND ended = 0`, stamp(now), string(org))
	return err
}

// runs tells whether a rescreening of an organisation has not ended.
func runs(a db.Querier, org polder.OrgID) (yes bool, err error) {
	err = a.QueryRow(`SELECT EXISTS (SELECT 1 FROM screen_rescreening WHERE org = ? AND ended = 0)`, string(org)).Scan(&yes)
	return yes, err
}

const selectRun = `SELECT n, started, ended, against, parties, entries, opened, reopened, unlisted FROM screen_rescreening `

// keptRun is a rescreening as it lies in its table.
type keptRun struct {
	Rescreening
	n, against int64
}

func scanRun(row db.Row) (k keptRun, err error) {
	var started, ended int64
	err = row.Scan(&k.n, &started, &ended, &k.against, &k.Parties, &k.Entries, &k.Opened, &k.Reopened, &k.Unlisted)
	k.Started, k.Ended = fromStamp(started), fromStamp(ended)
	return k, err
}

func listRuns(a db.Querier, org polder.OrgID, limit int) (out []Rescreening, err error) {
	rows, err := a.Query(selectRun+`WHERE org = ? ORDER BY n DESC LIMIT ?`, string(org), limit)
	kept, err := db.All(scanRun, rows, err)
	if err != nil {
		return nil, err
	}
	cache := againstCache{}
	for _, k := range kept {
		g, err := cache.read(a, k.against)
		if err != nil {
			return nil, err
		}
		k.Lists = g.lists
		out = append(out, k.Rescreening)
	}
	return out, nil
}
