package keys

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of keys up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "keys", sub)
}

func (s *Service) read(ctx context.Context) db.Querier { return s.o.DB.In(ctx) }

func readVersion(q db.Querier) (v int64, err error) {
	err = q.QueryRow(`SELECT version FROM keys_state WHERE id = 1`).Scan(&v)
	return v, err
}

func bumpVersion(tx *db.Tx) error {
	_, err := tx.Exec(`UPDATE keys_state SET version = version + 1 WHERE id = 1`)
	return err
}

// stored is a statement as it is kept.
type stored struct {
	owner polder.OrgID
	n     int
	body  []byte
	mark  mark
}

func readStatements(q db.Querier, owner polder.OrgID) (out []stored, err error) {
	rows, err := q.Query(`SELECT owner, n, body, at, seen FROM keys_statement WHERE owner = ? ORDER BY n`, owner)
	return scanStatements(rows, err)
}

func scanStatements(rows *sql.Rows, err error) ([]stored, error) {
	return db.All(func(row db.Row) (s stored, err error) {
		err = row.Scan(&s.owner, &s.n, &s.body, &s.mark.at, &s.mark.seen)
		return s, err
	}, rows, err)
}

func insertStatement(tx *db.Tx, s stored) error {
	_, err := tx.Exec(`INSERT INTO keys_statement (owner, n, body, at, seen) VALUES (?, ?, ?, ?, ?)`, s.owner, s.n, string(s.body), s.mark.at, s.mark.seen)
	return err
}

// readMarks are the numbers that other nodes gave to the statements of an owner.
func readMarks(q db.Querier, owner polder.OrgID) (map[polder.OrgID][]mark, error) {
	rows, err := q.Query(`SELECT home, n, at, seen FROM keys_at WHERE owner = ? ORDER BY home, n`, owner)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[polder.OrgID][]mark{}
	for rows.Next() {
		var home polder.OrgID
		var n int
		var m mark
		if err := rows.Scan(&home, &n, &m.at, &m.seen); err != nil {
			return nil, err
		}
		if n == len(out[home])+1 { // without a gap
			out[home] = append(out[home], m)
		}
	}
	return out, rows.Err()
}

func insertMark(tx *db.Tx, home, owner polder.OrgID, n int, m mark) error {
	_, err := tx.Exec(`INSERT INTO keys_at (home, owner, n, at, seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, home, owner, n, m.at, m.seen)
	return err
}

// marked is how many statements of each owner another node has numbered.
func marked(q db.Querier, home polder.OrgID) (map[string]int, error) {
	rows, err := q.Query(`SELECT owner, max(n) FROM keys_at WHERE home = ? GROUP BY owner`, home)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var owner string
		var n int
		if err := rows.Scan(&owner, &n); err != nil {
			return nil, err
		}
		out[owner] = n
	}
	return out, rows.Err()
}

// freeKey refuses a key that is another owner's.
func freeKey(q db.Querier, key seal.KeyID, owner polder.OrgID) error {
	var have polder.OrgID
	err := q.QueryRow(`SELECT owner FROM keys_key WHERE key = ?`, key).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) || err == nil && have == owner {
		return nil
	}
	if err != nil {
		return err
	}
	return polder.Errorf(polder.Conflict, "key %s is that of %s; a key belongs to one owner alone", key, have)
}

func insertKey(tx *db.Tx, key seal.KeyID, owner polder.OrgID) error {
	_, err := tx.Exec(`INSERT INTO keys_key (key, owner) VALUES (?, ?) ON CONFLICT DO NOTHING`, key, owner)
	return err
}

// signersIn are those who ever signed in a community, or sign there.
func signersIn(q db.Querier, c polder.CommunityID) ([]polder.OrgID, error) {
	rows, err := q.Query(`SELECT signer FROM keys_signer WHERE community = ?`, c)
	return db.All(func(row db.Row) (o polder.OrgID, err error) { err = row.Scan(&o); return o, err }, rows, err)
}

func insertSigner(tx *db.Tx, c polder.CommunityID, signer string) error {
	_, err := tx.Exec(`INSERT INTO keys_signer (community, signer) VALUES (?, ?) ON CONFLICT DO NOTHING`, c, signer)
	return err
}

func readOwnKey(q db.Querier, owner polder.OrgID, use, key string) (seed []byte, err error) {
	err = q.QueryRow(`SELECT seed FROM keys_own WHERE owner = ? AND use = ? AND key = ?`, owner, use, key).Scan(&seed)
	return seed, err
}

func readSealSeeds(q db.Querier, owner polder.OrgID) ([][]byte, error) {
	rows, err := q.Query(`SELECT seed FROM keys_own WHERE owner = ? AND use = 'seal'`, owner)
	return db.All(func(row db.Row) (seed []byte, err error) { err = row.Scan(&seed); return seed, err }, rows, err)
}

func insertOwnKey(tx *db.Tx, owner polder.OrgID, use, key string, seed []byte) error {
	_, err := tx.Exec(`INSERT INTO keys_own (owner, use, key, seed) VALUES (?, ?, ?, ?)`, owner, use, key, seed)
	return err
}

// dropSigningKeys forgets the private keys that no longer sign: what is not kept is not stolen.
func dropSigningKeys(tx *db.Tx, owner polder.OrgID, but string) error {
	_, err := tx.Exec(`DELETE FROM keys_own WHERE owner = ? AND use = 'sign' AND key <> ?`, owner, but)
	return err
}

func countOwners(q db.Querier) (n int, err error) {
	err = q.QueryRow(`SELECT count(*) FROM keys_statement WHERE n = 1`).Scan(&n)
	return n, err
}

func allOwners(q db.Querier) ([]polder.OrgID, error) {
	rows, err := q.Query(`SELECT owner FROM keys_statement WHERE n = 1 ORDER BY owner`)
	return db.All(func(row db.Row) (o polder.OrgID, err error) { err = row.Scan(&o); return o, err }, rows, err)
}

// readBound is the version of the tables, and who signs an id in a community; "" is nobody.
func readBound(q db.Querier, c polder.CommunityID, id string) (version int64, signer string, err error) {
	err = q.QueryRow(`SELECT version, coalesce((SELECT signer FROM keys_bound WHERE community = ? AND id = ?), '') FROM keys_state WHERE id = 1`, c, id).Scan(&version, &signer)
	return version, signer, err
}

// boundTo is who signs an id in a community; "" is nobody.
func boundTo(q db.Querier, c polder.CommunityID, id string) (string, error) {
	_, signer, err := readBound(q, c, id)
	return signer, err
}

func bind(tx *db.Tx, c polder.CommunityID, id, signer string) error {
	_, err := tx.Exec(`INSERT INTO keys_bound (community, id, signer) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, c, id, signer)
	return err
}

// dispute is a statement that contradicts a known one.
type dispute struct {
	hash   string
	owner  polder.OrgID
	n      int
	body   []byte
	source polder.OrgID
	seen   int64
}

// maxDisputes bounds what is kept as evidence about one owner.
const maxDisputes = 10

// insertDispute keeps one; fresh is false when it is known already, or enough are.
func insertDispute(tx *db.Tx, d dispute) (fresh bool, err error) {
	var n int
	if err := tx.QueryRow(`SELECT count(*) FROM keys_dispute WHERE owner = ?`, d.owner).Scan(&n); err != nil || n >= maxDisputes {
		return false, err
	}
	r, err := tx.Exec(`INSERT INTO keys_dispute (hash, owner, n, body, source, seen) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, d.hash, d.owner, d.n, string(d.body), d.source, d.seen)
	if err != nil {
		return false, err
	}
	added, err := r.RowsAffected()
	return added > 0, err
}

func readDisputes(q db.Querier) ([]dispute, error) {
	rows, err := q.Query(`SELECT hash, owner, n, body, source, seen FROM keys_dispute ORDER BY seen DESC`)
	return db.All(func(row db.Row) (d dispute, err error) {
		err = row.Scan(&d.hash, &d.owner, &d.n, &d.body, &d.source, &d.seen)
		return d, err
	}, rows, err)
}
