package accounts

import (
	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const personColumns = `id, org, email, name, role, disabled, must_change, language, theme, shortcuts, created`

func scanPerson(r db.Row) (p Person, err error) {
	var created int64
	err = r.Scan(&p.ID, &p.Org, &p.Email, &p.Name, role{&p.Role}, &p.Disabled, &p.MustChange, &p.Language, &p.Theme, &p.Shortcuts, &created)
	p.Created = when(created)
	return p, err
}

func readPerson(q db.Querier, id polder.PersonID) (Person, error) {
	p, err := scanPerson(q.QueryRow(`SELECT `+personColumns+` FROM accounts_person WHERE id = ?`, id))
	return p, orNotFound(err, "no person %.80s", id)
}

func listPeople(q db.Querier, org polder.OrgID) ([]Person, error) {
	return list(q, scanPerson, `SELECT `+personColumns+` FROM accounts_person WHERE org = ?1 OR ?1 = '' ORDER BY org, email`, org)
}

func insertPerson(tx *db.Tx, p Person, hash string, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_person (id, org, email, name, role, password, must_change, disabled, language, theme, shortcuts, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, p.Org, p.Email, p.Name, p.Role.String(), hash, p.MustChange, p.Disabled, p.Language, p.Theme, p.Shortcuts, now)
	return err
}

func setPassword(tx *db.Tx, id polder.PersonID, hash string, mustChange bool) error {
	_, err := tx.Exec(`UPDATE accounts_person SET password = ?, must_change = ? WHERE id = ?`, hash, mustChange, id)
	return err
}

func setPreferences(tx *db.Tx, id polder.PersonID, p Preferences) error {
	_, err := tx.Exec(`UPDATE accounts_person SET language = ?, theme = ?, shortcuts = ? WHERE id = ?`, p.Language, p.Theme, p.Shortcuts, id)
	return err
}

// otherAdmin refuses when id is the last administrator who can log in.
func otherAdmin(q db.Querier, id polder.PersonID) error {
	other, err := exists(q, `SELECT 1 FROM accounts_person WHERE role = 'admin' AND disabled = 0 AND id <> ?`, id)
	if err == nil && !other {
		err = polder.Errorf(polder.Conflict, "this is the last administrator of the node; make another one first")
	}
	return err
}
