package accounts

import (
	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

func scanOrg(r db.Row) (o polder.Org, err error) {
	var created int64
	err = r.Scan(&o.ID, &o.Name, &o.Country, &o.Sector, marking{&o.Widest}, &created, &o.Home)
	o.Created = when(created)
	return o, err
}

func readOrg(q db.Querier, id polder.OrgID) (polder.Org, error) {
	o, err := scanOrg(q.QueryRow(`SELECT id, name, country, sector, widest, created, home FROM accounts_org WHERE id = ?`, id))
	return o, orNotFound(err, "no organisation %.80s", id)
}

func listOrgs(q db.Querier) ([]polder.Org, error) {
	return list(q, scanOrg, `SELECT id, name, country, sector, widest, created, home FROM accounts_org ORDER BY name_key`)
}

// freeOrgName refuses a name that an organisation other than but has.
func freeOrgName(q db.Querier, name string, but polder.OrgID) error {
	taken, err := exists(q, `SELECT 1 FROM accounts_org WHERE name_key = ? AND id <> ?`, nameKey(name), but)
	if err == nil && taken {
		err = polder.Errorf(polder.Conflict, "an organisation named %q exists; add what tells the two apart, such as the city", name)
	}
	return err
}

func insertOrg(tx *db.Tx, o polder.Org, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_org (id, name, name_key, country, sector, widest, created, modified, home) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID, o.Name, nameKey(o.Name), o.Country, o.Sector, o.Widest.String(), now, now, o.Home)
	return err
}

// updateOrg also moves modified on by a millisecond at least, which is what a STIX timestamp tells apart.
func updateOrg(tx *db.Tx, id polder.OrgID, n NewOrg, now int64) error {
	_, err := tx.Exec(`UPDATE accounts_org SET name = ?, name_key = ?, country = ?, sector = ?, modified = max(?, modified + 1000) WHERE id = ?`,
		n.Name, nameKey(n.Name), n.Country, n.Sector, now, id)
	return err
}

func setWidest(tx *db.Tx, id polder.OrgID, widest stix.Marking) error {
	_, err := tx.Exec(`UPDATE accounts_org SET widest = ? WHERE id = ?`, widest.String(), id)
	return err
}
