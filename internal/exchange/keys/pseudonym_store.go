package keys

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

//go:embed pseudonym
var pseudonymFiles embed.FS

// MigratePseudonyms brings the tables of pseudonyms up to date.
func MigratePseudonyms(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(pseudonymFiles, "pseudonym/migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "pseudonym", sub)
}

// listed is an entry with its bytes.
type listed struct {
	entry seal.PseudonymEntry
	raw   json.RawMessage
}

func scanEntries(rows *sql.Rows, err error) ([]listed, error) {
	return db.All(func(row db.Row) (l listed, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return l, err
		}
		l.raw = json.RawMessage(body)
		if l.entry, err = seal.ParsePseudonymEntry(l.raw); err != nil {
			err = fmt.Errorf("an entry about pseudonyms as it is stored: %w", err)
		}
		return l, err
	}, rows, err)
}

func readEntries(q db.Querier, c polder.CommunityID, after, limit int) ([]listed, error) {
	rows, err := q.Query(`SELECT body FROM pseudonym_entry WHERE community = ? AND n > ? ORDER BY n LIMIT ?`, string(c), after, limit)
	return scanEntries(rows, err)
}

func readAllEntries(q db.Querier) ([]listed, error) {
	rows, err := q.Query(`SELECT body FROM pseudonym_entry ORDER BY community, n`)
	return scanEntries(rows, err)
}

func readEntriesOf(q db.Querier, c polder.CommunityID, pseudonym string) (out []seal.PseudonymEntry, err error) {
	rows, err := q.Query(`SELECT body FROM pseudonym_entry WHERE community = ? AND pseudonym = ? ORDER BY n`, string(c), pseudonym)
	have, err := scanEntries(rows, err)
	for _, l := range have {
		out = append(out, l.entry)
	}
	return out, err
}

func countEntries(q db.Querier, c polder.CommunityID) (n int, err error) {
	err = q.QueryRow(`SELECT coalesce(max(n), 0) FROM pseudonym_entry WHERE community = ?`, string(c)).Scan(&n)
	return n, err
}

func insertEntry(tx *db.Tx, e seal.PseudonymEntry, raw json.RawMessage) error {
	_, err := tx.Exec(`INSERT INTO pseudonym_entry (community, n, act, pseudonym, body) VALUES (?, ?, ?, ?, ?)`, e.Community, e.N, string(e.Act), e.Pseudonym, string(raw))
	return err
}

func writeBox(tx *db.Tx, c polder.CommunityID, pseudonym string, b seal.Box) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO pseudonym_box (community, pseudonym, box) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, string(c), pseudonym, string(text))
	return err
}

// readBox is the box of a pseudonym; NotFound where it is not here.
func readBox(q db.Querier, c polder.CommunityID, pseudonym string) (b seal.Box, err error) {
	var text string
	err = q.QueryRow(`SELECT box FROM pseudonym_box WHERE community = ? AND pseudonym = ?`, string(c), pseudonym).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return b, polder.Errorf(polder.NotFound, "who is behind %.60s is not sealed here", pseudonym)
	}
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal([]byte(text), &b)
}

// wish is what a steward of this node asks of the home of a community.
type wish struct {
	community polder.CommunityID
	pseudonym string
	act       seal.PseudonymAct
	org       polder.OrgID
	reason    string
	refused   string
}

func readWishes(q db.Querier, org polder.OrgID) ([]wish, error) {
	rows, err := q.Query(`SELECT community, pseudonym, act, org, reason, refused FROM pseudonym_wish WHERE org = ?`, string(org))
	return db.All(func(row db.Row) (w wish, err error) {
		err = row.Scan(&w.community, &w.pseudonym, &w.act, &w.org, &w.reason, &w.refused)
		return w, err
	}, rows, err)
}

func writeWish(tx *db.Tx, w wish) error {
	_, err := tx.Exec(`INSERT INTO pseudonym_wish (community, pseudonym, act, org, reason, refused) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (community, pseudonym, act, org) DO UPDATE SET reason = excluded.reason, refused = excluded.refused`, string(w.community), w.pseudonym, string(w.act), string(w.org), w.reason, w.refused)
	return err
}

func dropWish(tx *db.Tx, w wish) error {
	_, err := tx.Exec(`DELETE FROM pseudonym_wish WHERE community = ? AND pseudonym = ? AND act = ? AND org = ?`, string(w.community), w.pseudonym, string(w.act), string(w.org))
	return err
}

// uncertified are the keys of an organisation's pseudonym in a community that its home has not certified yet.
func uncertified(q db.Querier, slot string, c polder.CommunityID) ([]pseudonymKey, error) {
	rows, err := q.Query(`SELECT pseudonym, seed FROM pseudonym_own WHERE slot = ? AND NOT EXISTS
		(SELECT 1 FROM pseudonym_entry e WHERE e.community = ? AND e.pseudonym = pseudonym_own.pseudonym AND e.act = 'certified')`, slot, string(c))
	return db.All(func(row db.Row) (k pseudonymKey, err error) {
		var seed []byte
		if err := row.Scan(&k.id, &seed); err != nil {
			return k, err
		}
		if len(seed) != 32 {
			return k, errors.New("the private key of a pseudonym as it is stored is damaged")
		}
		k.key = seal.NewSigningKey([32]byte(seed))
		return k, nil
	}, rows, err)
}
