package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

const sharingColumns = `id, case_id, community, with_org, part, ceiling, country, stage, since, actor, sent, digest, stopped`

func scanSharing(row db.Row) (sh Sharing, err error) {
	var since, sent, stopped int64
	var ceiling int
	err = row.Scan(&sh.ID, &sh.Case, &sh.Community, &sh.Org, &sh.Part, &ceiling, &sh.Country, &sh.stage, &since, &sh.By, &sent, &sh.digest, &stopped)
	sh.Ceiling, sh.Since, sh.Sent, sh.Stopped = stix.Marking(ceiling), caseTime(since), caseTime(sent), caseTime(stopped)
	return sh, err
}

// listSharings are those of a case, the first made first; without those that were stopped unless all are asked for.
func listSharings(a db.Querier, id CaseID, all bool) ([]Sharing, error) {
	rows, err := a.Query(`SELECT `+sharingColumns+` FROM cases_sharing WHERE case_id = ?1 AND (?2 OR stopped = 0) ORDER BY since, id`, string(id), all)
	return db.All(scanSharing, rows, err)
}

func insertSharing(tx *db.Tx, org polder.OrgID, sh Sharing) error {
	_, err := tx.Exec(`INSERT INTO cases_sharing (`+sharingColumns+`, org) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
		sh.ID, string(sh.Case), sh.Community, string(sh.Org), string(sh.Part), int(sh.Ceiling), sh.Country, sh.stage, caseStamp(sh.Since), string(sh.By), caseStamp(sh.Sent), sh.digest, caseStamp(sh.Stopped), string(org))
	return err
}

// updateSharing keeps what was sent last, how far it goes, and whether it was stopped.
func updateSharing(tx *db.Tx, sh Sharing) error {
	_, err := tx.Exec(`UPDATE cases_sharing SET part = ?2, ceiling = ?3, stage = ?4, sent = ?5, digest = ?6, stopped = ?7 WHERE id = ?1`,
		sh.ID, string(sh.Part), int(sh.Ceiling), sh.stage, caseStamp(sh.Sent), sh.digest, caseStamp(sh.Stopped))
	return err
}

// sharedReply is an item that an organisation added to a case of another.
type sharedReply struct {
	id, community, key string
	org, to            polder.OrgID
	item               Item
}

func insertReply(tx *db.Tx, r sharedReply) error {
	body, err := json.Marshal(r.item)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_sharing_reply (id, org, community, case_key, to_org, level, body, made, actor) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
		r.id, string(r.org), r.community, r.key, string(r.to), int(r.item.Level), string(body), caseStamp(r.item.Made), string(r.item.MadeBy))
	return err
}

// listReplies are what an organisation added to a case of another, and for nobody else, whoever bears the same key.
func listReplies(a db.Querier, org, to polder.OrgID, community, key string) ([]Item, error) {
	rows, err := a.Query(`SELECT body FROM cases_sharing_reply WHERE org = ?1 AND community = ?2 AND case_key = ?3 AND to_org = ?4 ORDER BY made, id`, string(org), community, key, string(to))
	return db.All(func(row db.Row) (it Item, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return it, err
		}
		err = json.Unmarshal([]byte(body), &it)
		return it, err
	}, rows, err)
}

func listContacts(a db.Querier, org polder.OrgID) ([]ContactPoint, error) {
	rows, err := a.Query(`SELECT country, community, with_org FROM cases_contact WHERE org = ?1 ORDER BY country`, string(org))
	return db.All(func(row db.Row) (p ContactPoint, err error) {
		err = row.Scan(&p.Country, &p.Community, &p.Org)
		return p, err
	}, rows, err)
}

func putContact(tx *db.Tx, org polder.OrgID, p ContactPoint) error {
	if p.Org == "" {
		_, err := tx.Exec(`DELETE FROM cases_contact WHERE org = ?1 AND country = ?2`, string(org), p.Country)
		return err
	}
	_, err := tx.Exec(`INSERT INTO cases_contact (org, country, community, with_org) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (org, country) DO UPDATE SET community = excluded.community, with_org = excluded.with_org`,
		string(org), p.Country, p.Community, string(p.Org))
	return err
}

// ReleasedObject is what left from a case.
type ReleasedObject struct {
	Object    string          `json:"object"`
	Community string          `json:"community"`
	Says      string          `json:"says"`
	Level     stix.Marking    `json:"tlp"`
	At        time.Time       `json:"at"`
	By        polder.PersonID `json:"by"`
	Case      CaseID          `json:"case"`
}

func insertRelease(tx *db.Tx, org polder.OrgID, r ReleasedObject) error {
	_, err := tx.Exec(`INSERT INTO cases_release (case_id, org, community, object, says, level, at, actor) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		string(r.Case), string(org), r.Community, r.Object, r.Says, int(r.Level), caseStamp(r.At), string(r.By))
	return err
}

func scanRelease(row db.Row) (r ReleasedObject, err error) {
	var level int
	var at int64
	err = row.Scan(&r.Case, &r.Community, &r.Object, &r.Says, &level, &at, &r.By)
	r.Level, r.At = stix.Marking(level), caseTime(at)
	return r, err
}

// listReleases are what left from a case, the latest first.
func listReleases(a db.Querier, id CaseID) ([]ReleasedObject, error) {
	rows, err := a.Query(`SELECT case_id, community, object, says, level, at, actor FROM cases_release WHERE case_id = ?1 ORDER BY n DESC LIMIT 1000`, string(id))
	return db.All(scanRelease, rows, err)
}

// releasedFrom is the case that an object left from.
func releasedFrom(a db.Querier, org polder.OrgID, object string) (id CaseID, found bool, err error) {
	err = a.QueryRow(`SELECT case_id FROM cases_release WHERE object = ?1 AND org = ?2 ORDER BY n DESC LIMIT 1`, object, string(org)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}
