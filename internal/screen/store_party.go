package screen

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const selectParty = `SELECT n, id, org, grp, query, fingerprint, added, added_by, changed, version, removed, screened, against FROM screen_party `

var errNoParty = polder.Errorf(polder.NotFound, "no such party, or none of your organisation")

func scanParty(row db.Row) (p Party, err error) {
	var query string
	var added, changed, removed, screened int64
	err = row.Scan(&p.n, &p.ID, (*string)(&p.Org), &p.Group, &query, &p.fingerprint, &added, &p.AddedBy, &changed, &p.Version, &removed, &screened, &p.against)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errNoParty
	}
	if err != nil {
		return p, err
	}
	p.Added, p.Changed, p.Removed, p.Screened = fromStamp(added), fromStamp(changed), fromStamp(removed), fromStamp(screened)
	return p, unpack(query, &p.Query)
}

func readParty(a db.Querier, org polder.OrgID, id string) (Party, error) {
	return scanParty(a.QueryRow(selectParty+`WHERE id = ? AND org = ?`, id, string(org)))
}

// partyLike is the known party of a group with a reference, or without one the party with the same fields.
func partyLike(a db.Querier, org polder.OrgID, group string, q Query, fingerprint string) (p Party, found bool, err error) {
	if q.Ref != "" {
		p, err = scanParty(a.QueryRow(selectParty+`WHERE org = ? AND grp = ? AND ref = ? AND ref <> '' AND removed = 0`, string(org), group, q.Ref))
	} else {
		p, err = scanParty(a.QueryRow(selectParty+`WHERE org = ? AND grp = ? AND fingerprint = ? AND ref = '' AND removed = 0`, string(org), group, fingerprint))
	}
	if errors.Is(err, errNoParty) {
		return p, false, nil
	}
	return p, err == nil, err
}

// foldedParty is what a party is looked for and sorted by.
func foldedParty(q Query) string { return strings.ToLower(q.Name + "\n" + q.Ref) }

func insertParty(tx *db.Tx, p Party) error {
	query, err := packed(p.Query)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO screen_party (id, org, grp, ref, folded, query, fingerprint, added, added_by, changed, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, string(p.Org), p.Group, p.Query.Ref, foldedParty(p.Query), query, p.fingerprint, stamp(p.Added), p.AddedBy, stamp(p.Changed), p.Version)
	return err
}

// updateParty writes what a person changed.
func updateParty(tx *db.Tx, p Party) error {
	query, err := packed(p.Query)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE screen_party SET grp = ?, ref = ?, folded = ?, query = ?, fingerprint = ?, changed = ?, version = ?, removed = ?, screened = ?, against = ? WHERE n = ?`,
		p.Group, p.Query.Ref, foldedParty(p.Query), query, p.fingerprint, stamp(p.Changed), p.Version, stamp(p.Removed), stamp(p.Screened), p.against, p.n)
	return err
}

// settleParty says that a party was asked against g, unless it changed meanwhile or somebody else did so.
func settleParty(tx *db.Tx, p Party, g int64, at time.Time) (bool, error) {
	res, err := tx.Exec(`UPDATE screen_party SET against = ?, screened = ? WHERE n = ? AND against = ? AND version = ?`, g, stamp(at), p.n, p.against, p.Version)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// partiesAgainst are known parties that were last asked against from.
func partiesAgainst(a db.Querier, org polder.OrgID, from int64, limit int) ([]Party, error) {
	rows, err := a.Query(selectParty+`WHERE org = ? AND against = ? ORDER BY n LIMIT ?`, string(org), from, limit)
	return db.All(scanParty, rows, err)
}

// otherAgainst is one that known parties were asked against and that is not the present one.
func otherAgainst(a db.Querier, org polder.OrgID, present int64) (from int64, found bool, err error) {
	err = a.QueryRow(`SELECT against FROM screen_party WHERE org = ?1 AND against >= 0 AND against < ?2 UNION ALL SELECT against FROM screen_party WHERE org = ?1 AND against > ?2 LIMIT 1`, string(org), present).Scan(&from)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return from, err == nil, err
}

// countParties is how many parties an organisation knows.
func countParties(a db.Querier, org polder.OrgID) (n int, err error) {
	err = a.QueryRow(`SELECT count(*) FROM screen_party WHERE org = ? AND against >= 0`, string(org)).Scan(&n)
	return n, err
}

const partyFilters = ` AND (folded, id) > (?2, ?3) AND (?4 = '' OR grp = ?4) AND (?5 = '' OR instr(folded, ?5) > 0) AND (?6 = 0 OR against = 0)
	AND (?7 = 0 OR EXISTS (SELECT 1 FROM screen_review WHERE party = screen_party.id AND party <> '' AND state IN ('open', 'second', 'true'))) ORDER BY folded, id LIMIT ?8`

func listParties(a db.Querier, org polder.OrgID, f PartyFilter) (page PartyPage, err error) {
	folded, id := "", ""
	if f.Next != "" {
		at, err := readParty(a, org, f.Next)
		if err != nil {
			return page, errNoPlace
		}
		folded, id = foldedParty(at.Query), at.ID
	}
	args := []any{string(org), folded, id, f.Group, strings.ToLower(strings.TrimSpace(f.Text)), f.Due, f.Hit, f.Limit + 1}
	var rows *sql.Rows
	if f.Removed {
		rows, err = a.Query(selectParty+`INDEXED BY screen_party_name WHERE org = ?1 AND removed > 0`+partyFilters, args...)
	} else {
		rows, err = a.Query(selectParty+`INDEXED BY screen_party_name WHERE org = ?1 AND removed = 0`+partyFilters, args...)
	}
	if page.Parties, err = db.All(scanParty, rows, err); err != nil {
		return page, err
	}
	if len(page.Parties) > f.Limit {
		page.Parties = page.Parties[:f.Limit]
		page.Next = page.Parties[f.Limit-1].ID
	}
	return page, completeParties(a, page.Parties)
}

// completeParties gives parties what lies in other tables.
func completeParties(a db.Querier, parties []Party) error {
	cache := againstCache{}
	for i := range parties {
		p := &parties[i]
		g, err := cache.read(a, p.against)
		if err != nil {
			return err
		}
		p.Against, p.Threshold = g.lists, g.threshold
		rows, err := a.Query(`SELECT state, count(*) FROM screen_review WHERE party = ? AND party <> '' GROUP BY state`, p.ID)
		if err != nil {
			return err
		}
		if err := p.count(rows); err != nil {
			return err
		}
	}
	return nil
}

// count reads how many reviews of the party there are, by state.
func (p *Party) count(rows *sql.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var state State
		var n int
		if err := rows.Scan((*string)(&state), &n); err != nil {
			return err
		}
		switch state {
		case StateTrue:
			p.True = n
		case StateFalse:
			p.False = n
		case StateOpen, StateSecond:
			p.Waiting += n
		}
	}
	return rows.Err()
}

// closeReviewsOf closes what waits for a person about a party that is no longer known; at most limit at once.
func closeReviewsOf(tx *db.Tx, party string, limit int) ([]Review, error) {
	rows, err := tx.Query(selectReview+`WHERE party = ? AND party <> '' AND state IN ('open', 'second') LIMIT ?`, party, limit)
	return db.All(scanReview, rows, err)
}

func reviewsOfParty(tx *db.Tx, party string, limit int) ([]Review, error) {
	rows, err := tx.Query(selectReview+`WHERE party = ? AND party <> '' LIMIT ?`, party, limit)
	return db.All(scanReview, rows, err)
}

func ownGroups(a db.Querier, org polder.OrgID) ([]PartyGroup, error) {
	rows, err := a.Query(`SELECT name, title FROM screen_group WHERE org = ? ORDER BY title, name`, string(org))
	return db.All(func(r db.Row) (g PartyGroup, err error) {
		g.Own = true
		return g, r.Scan(&g.Name, &g.Title)
	}, rows, err)
}

func insertGroup(tx *db.Tx, org polder.OrgID, g PartyGroup, by string, at time.Time) error {
	_, err := tx.Exec(`INSERT INTO screen_group (org, name, title, made, actor) VALUES (?, ?, ?, ?, ?)`, string(org), g.Name, g.Title, stamp(at), by)
	return err
}

func deleteGroup(tx *db.Tx, org polder.OrgID, name string) (bool, error) {
	res, err := tx.Exec(`DELETE FROM screen_group WHERE org = ? AND name = ?`, string(org), name)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// countGroups is how many known parties each group has.
func countGroups(a db.Querier, org polder.OrgID) (map[string]int, error) {
	rows, err := a.Query(`SELECT grp, count(*) FROM screen_party WHERE org = ? AND removed = 0 GROUP BY grp`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, rows.Err()
}
