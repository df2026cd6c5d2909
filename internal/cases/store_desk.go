package cases

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

const deskColumns = `alias, org, name, kind, listed, promise, phone, team, changed`

func scanDesk(row db.Row) (d Desk, err error) {
	var changed int64
	err = row.Scan(&d.Alias, &d.Org, &d.Name, &d.Kind, &d.Listed, &d.Promise, &d.Phone, &d.Team, &changed)
	d.Changed = reportTime(changed)
	return d, err
}

// readDesk is a desk that takes reports; nil when there is none.
func readDesk(q db.Querier, alias string) (*Desk, error) {
	return oneDesk(scanDesk(q.QueryRow(`SELECT `+deskColumns+` FROM cases_desk WHERE alias = ? AND closed = 0`, alias)))
}

// anyDesk is a desk, closed or not; nil when there never was one.
func anyDesk(q db.Querier, alias string) (*Desk, error) {
	return oneDesk(scanDesk(q.QueryRow(`SELECT `+deskColumns+` FROM cases_desk WHERE alias = ?`, alias)))
}

func oneDesk(d Desk, err error) (*Desk, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &d, err
}

// listedDesks are desks that take reports and that anybody may know of, by name.
func listedDesks(q db.Querier) ([]Desk, error) {
	rows, err := q.Query(`SELECT ` + deskColumns + ` FROM cases_desk WHERE closed = 0 AND listed = 1 ORDER BY name, alias LIMIT 1000`)
	return db.All(scanDesk, rows, err)
}

// desksOf are the desks of an organisation that take reports, by name.
func desksOf(q db.Querier, org polder.OrgID) ([]Desk, error) {
	rows, err := q.Query(`SELECT `+deskColumns+` FROM cases_desk WHERE closed = 0 AND org = ? ORDER BY name, alias LIMIT 1000`, string(org))
	return db.All(scanDesk, rows, err)
}

func insertDesk(tx *db.Tx, d Desk) error {
	_, err := tx.Exec(`INSERT INTO cases_desk (`+deskColumns+`, closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
		d.Alias, string(d.Org), d.Name, string(d.Kind), d.Listed, d.Promise, d.Phone, d.Team, reportMicros(d.Changed))
	return err
}

func updateDesk(tx *db.Tx, d Desk) error {
	_, err := tx.Exec(`UPDATE cases_desk SET name = ?, listed = ?, promise = ?, phone = ?, team = ?, changed = ? WHERE alias = ?`,
		d.Name, d.Listed, d.Promise, d.Phone, d.Team, reportMicros(d.Changed), d.Alias)
	return err
}

func closeDesk(tx *db.Tx, alias string, at time.Time) error {
	_, err := tx.Exec(`UPDATE cases_desk SET closed = ?, listed = 0 WHERE alias = ?`, reportMicros(at), alias)
	return err
}

// deskReaderRow is somebody who reads, waits to or has read for a desk.
type deskReaderRow struct {
	desk               string
	public             seal.PublicKey
	person, asker      polder.PersonID
	name               string
	state              DeskReaderState
	asked, since, gone time.Time
	askedBy, confirmed string
}

func (r deskReaderRow) key() seal.KeyID { return r.public.ID() }

func (r deskReaderRow) reader() Reader {
	return Reader{Key: r.key(), Public: r.public, Fingerprint: r.public.Fingerprint(), Name: r.name, Desk: r.desk, Since: r.since}
}

const deskReaderColumns = `desk, public, person, name, state, asked, asker, asked_by, confirmed, since, gone`

func scanDeskReader(row db.Row) (r deskReaderRow, err error) {
	var public []byte
	var asked, since, gone int64
	if err := row.Scan(&r.desk, &public, &r.person, &r.name, &r.state, &asked, &r.asker, &r.askedBy, &r.confirmed, &since, &gone); err != nil {
		return r, err
	}
	if len(public) != len(r.public) {
		return r, errors.New("table cases_reader holds a key of another length")
	}
	r.public = seal.PublicKey(public)
	r.asked, r.since, r.gone = reportTime(asked), reportTime(since), reportTime(gone)
	return r, nil
}

// deskReaders are all who ever were readers of a desk, those in force first.
func deskReaders(q db.Querier, desk string) ([]deskReaderRow, error) {
	rows, err := q.Query(`SELECT `+deskReaderColumns+` FROM cases_reader WHERE desk = ?
		ORDER BY CASE state WHEN 'reading' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END, since, asked, key LIMIT 5000`, desk)
	return db.All(scanDeskReader, rows, err)
}

// deskReading are the readers in force of a desk.
func deskReading(q db.Querier, desk string) ([]deskReaderRow, error) {
	rows, err := q.Query(`SELECT `+deskReaderColumns+` FROM cases_reader WHERE desk = ? AND state = 'reading' ORDER BY since, key`, desk)
	return db.All(scanDeskReader, rows, err)
}

// personReads are the places where a person reads, in force.
func personReads(q db.Querier, person polder.PersonID) ([]deskReaderRow, error) {
	rows, err := q.Query(`SELECT `+deskReaderColumns+` FROM cases_reader WHERE person = ? AND state = 'reading' ORDER BY desk, key`, string(person))
	return db.All(scanDeskReader, rows, err)
}

func putDeskReader(tx *db.Tx, r deskReaderRow) error {
	_, err := tx.Exec(`INSERT INTO cases_reader (key, `+deskReaderColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (desk, key) DO UPDATE SET person = excluded.person, name = excluded.name, state = excluded.state, asked = excluded.asked,
			asker = excluded.asker, asked_by = excluded.asked_by, confirmed = excluded.confirmed, since = excluded.since, gone = excluded.gone`,
		string(r.key()), r.desk, r.public[:], string(r.person), r.name, string(r.state), reportMicros(r.asked), string(r.asker), r.askedBy, r.confirmed,
		reportMicros(r.since), reportMicros(r.gone))
	return err
}

// deskLog is the list of keys of a desk.
func deskLog(q db.Querier, desk string) ([]seal.LogEntry, error) {
	rows, err := q.Query(`SELECT entry FROM cases_desk_log WHERE desk = ? ORDER BY n`, desk)
	return db.All(func(row db.Row) (e seal.LogEntry, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return e, err
		}
		return e, json.Unmarshal([]byte(text), &e)
	}, rows, err)
}

// addDeskLog adds an entry to the list of keys of a desk, never older than the last one.
func addDeskLog(tx *db.Tx, desk string, e seal.LogEntry) error {
	log, err := deskLog(tx, desk)
	if err != nil {
		return err
	}
	if n := len(log); n > 0 && e.At.Before(log[n-1].At) {
		e.At = log[n-1].At
	}
	if log, err = seal.AppendLog(log, e); err != nil {
		return polder.Errorf(polder.Conflict, "the list of keys of desk %s takes no such entry: %w", desk, err)
	}
	last := log[len(log)-1]
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_desk_log (desk, n, entry) VALUES (?, ?, ?)`, desk, last.N, string(text))
	return err
}

// ownKeyRow is a key of a person.
type ownKeyRow struct {
	person polder.PersonID
	org    polder.OrgID
	OwnKey
}

func scanOwnKey(row db.Row) (k ownKeyRow, err error) {
	var locked string
	var made int64
	if err := row.Scan(&k.ID, &k.person, &k.org, &locked, &made, &k.Current); err != nil {
		return k, err
	}
	k.Made = reportTime(made)
	if err := json.Unmarshal([]byte(locked), &k.Locked); err != nil {
		return k, err
	}
	k.Fingerprint = k.Locked.Public.Fingerprint()
	return k, nil
}

// personKeys are the keys of a person, the present one first.
func personKeys(q db.Querier, person polder.PersonID) ([]ownKeyRow, error) {
	rows, err := q.Query(`SELECT id, person, org, locked, made, current FROM cases_key WHERE person = ? ORDER BY current DESC, made DESC, id`, string(person))
	return db.All(scanOwnKey, rows, err)
}

func insertKey(tx *db.Tx, k ownKeyRow) error {
	locked, err := json.Marshal(k.Locked)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE cases_key SET current = 0 WHERE person = ?`, string(k.person)); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cases_key (id, person, org, public, locked, made, current) VALUES (?, ?, ?, ?, ?, ?, 1)`,
		string(k.ID), string(k.person), string(k.org), k.Locked.Public[:], string(locked), reportMicros(k.Made))
	return err
}

// relockKey keeps a key under another lock. Nothing of the old one stays in the file: the database overwrites what it
// takes away.
func relockKey(tx *db.Tx, k ownKeyRow) error {
	locked, err := json.Marshal(k.Locked)
	if err == nil {
		_, err = tx.Exec(`UPDATE cases_key SET locked = ? WHERE id = ? AND person = ?`, string(locked), string(k.ID), string(k.person))
	}
	return err
}

// keyHolder is who keeps a key; empty when nobody does.
func keyHolder(q db.Querier, key seal.KeyID) (person polder.PersonID, err error) {
	err = q.QueryRow(`SELECT person FROM cases_key WHERE id = ?`, string(key)).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return person, err
}
