package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const jewelColumns = `j.id, j.org, j.body, j.changed, j.version, j.removed`

func scanJewel(row db.Row) (j Jewel, err error) {
	var id, body string
	var org polder.OrgID
	var changed, removed int64
	var version int
	if err = row.Scan(&id, &org, &body, &changed, &version, &removed); err != nil {
		return j, err
	}
	err = json.Unmarshal([]byte(body), &j)
	j.ID, j.Org, j.Changed, j.Version, j.Removed = id, org, caseTime(changed), version, caseTime(removed)
	return j, err
}

var errNoJewel = polder.Errorf(polder.NotFound, "no such crown jewel, or none of your organisation")

func readJewel(a db.Querier, org polder.OrgID, id string) (Jewel, error) {
	j, err := scanJewel(a.QueryRow(`SELECT `+jewelColumns+` FROM cases_jewel j WHERE j.id = ? AND j.org = ?`, id, string(org)))
	if errors.Is(err, sql.ErrNoRows) {
		return j, errNoJewel
	}
	return j, err
}

// jewelNamed is the jewel of an organisation's register of that name, in whatever case.
func jewelNamed(a db.Querier, org polder.OrgID, name string) (j Jewel, found bool, err error) {
	j, err = scanJewel(a.QueryRow(`SELECT `+jewelColumns+` FROM cases_jewel j WHERE j.org = ? AND j.name = ? AND j.removed = 0`, string(org), strings.ToLower(name)))
	if errors.Is(err, sql.ErrNoRows) {
		return j, false, nil
	}
	return j, err == nil, err
}

func countJewels(a db.Querier, org polder.OrgID) (n int, err error) {
	err = a.QueryRow(`SELECT count(*) FROM cases_jewel WHERE org = ?`, string(org)).Scan(&n)
	return n, err
}

// putJewel writes a jewel and keeps it in its history.
func putJewel(tx *db.Tx, v caseViewer, j Jewel, did string) error {
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_jewel (id, org, name, folded, body, changed, version, removed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, folded = excluded.folded, body = excluded.body, changed = excluded.changed, version = excluded.version, removed = excluded.removed`,
		j.ID, string(j.Org), strings.ToLower(j.Name), j.folded(), string(body), caseStamp(j.Changed), j.Version, caseStamp(j.Removed))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_jewel_revision (jewel, at, person, did, body) VALUES (?, ?, ?, ?, ?)`, j.ID, caseStamp(j.Changed), string(v.person), did, string(body))
	return err
}

func listJewels(a db.Querier, org polder.OrgID, f JewelFilter) ([]Jewel, error) {
	name, id := "", ""
	if f.Next != "" {
		last, err := readJewel(a, org, f.Next)
		if err != nil {
			return nil, errCasePlace
		}
		name, id = strings.ToLower(last.Name), last.ID
	}
	rows, err := a.Query(`SELECT `+jewelColumns+` FROM cases_jewel j WHERE j.org = ?1 AND (j.name, j.id) > (?2, ?3) AND (j.removed > 0) = ?4 AND (?5 = '' OR instr(j.folded, ?5) > 0)
		AND (?6 = '' OR EXISTS (SELECT 1 FROM json_each(j.body, '$.technology') WHERE lower(substr(value, 1, length(?6))) = ?6)) ORDER BY j.name, j.id LIMIT ?7`,
		string(org), name, id, f.Removed, strings.ToLower(f.Text), strings.ToLower(f.Technology), f.Limit)
	return db.All(scanJewel, rows, err)
}

func jewelRevisions(a db.Querier, id string, limit int) ([]JewelRevision, error) {
	rows, err := a.Query(`SELECT at, person, did, body FROM cases_jewel_revision WHERE jewel = ? ORDER BY n DESC LIMIT ?`, id, limit)
	return db.All(func(r db.Row) (out JewelRevision, err error) {
		var at int64
		var body string
		if err = r.Scan(&at, &out.By, &out.Did, &body); err != nil {
			return out, err
		}
		out.At = time.UnixMicro(at).UTC()
		return out, json.Unmarshal([]byte(body), &out.Jewel)
	}, rows, err)
}
