package exchange

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
)

var errNoDraft = polder.Errorf(polder.NotFound, "no such draft in your organisation")

func scanDraft(r db.Row) (d Draft, err error) {
	var doc string
	var changed int64
	if err := r.Scan(&d.ID, (*string)(&d.Org), &changed, &doc); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = errNoDraft
		}
		return d, err
	}
	d.Changed = time.UnixMicro(changed).UTC()
	return d, json.Unmarshal([]byte(doc), &d)
}

const selectDraft = `SELECT id, org, changed, doc FROM advisory_draft WHERE org = ?`

func readDraft(ctx context.Context, d *sql.DB, org polder.OrgID, id string) (Draft, error) {
	return scanDraft(d.QueryRowContext(ctx, selectDraft+` AND id = ?`, string(org), id))
}

func readDraftTx(tx *db.Tx, org polder.OrgID, id string) (Draft, error) {
	return scanDraft(tx.QueryRow(selectDraft+` AND id = ?`, string(org), id))
}

func listDrafts(ctx context.Context, d *sql.DB, org polder.OrgID) (out []Draft, err error) {
	rows, err := d.QueryContext(ctx, selectDraft+` ORDER BY changed DESC`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		draft, err := scanDraft(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, draft)
	}
	return out, rows.Err()
}

func countDrafts(tx *db.Tx, org polder.OrgID) (n int, err error) {
	err = tx.QueryRow(`SELECT count(*) FROM advisory_draft WHERE org = ?`, string(org)).Scan(&n)
	return n, err
}

func writeDraft(tx *db.Tx, d Draft) error {
	doc, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO advisory_draft (id, org, changed, doc) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET changed = excluded.changed, doc = excluded.doc`, d.ID, string(d.Org), d.Changed.UnixMicro(), string(doc))
	return err
}

func removeDraft(tx *db.Tx, org polder.OrgID, id string) error {
	_, err := tx.Exec(`DELETE FROM advisory_draft WHERE id = ? AND org = ?`, id, string(org))
	return err
}

// keepAttachments writes down which files a report has, and holds them.
func (s *Service) keepAttachments(tx *db.Tx, c polder.CommunityID, id string, org polder.OrgID, files []Attachment) error {
	for _, f := range files {
		h, err := blob.ParseHash(f.SHA256)
		if err != nil {
			return err
		}
		if err := s.blobs.Ref(tx, h, attachmentOwner(c, id, org)); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO advisory_attachment (community, object, org, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			string(c), id, string(org), f.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// hasAttachment tells whether who shared this report attached the file.
func hasAttachment(ctx context.Context, q *sql.DB, d journal.Delivery, sha256 string) (ok bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM advisory_attachment WHERE community = ? AND object = ? AND org = ? AND hash = ?)`,
		string(d.Community), d.ID, string(d.Sharer), sha256).Scan(&ok)
	return ok, err
}

// dropAttachments lets go of the files of erased versions of a report (X19), but for those that a version which stays
// has too. They are read from the versions' bytes, so it comes before those are erased.
func (s *Service) dropAttachments(tx *db.Tx, erased, kept []journal.Delivery) error {
	if s.blobs == nil {
		return nil
	}
	for _, d := range erased {
		v, ok := readAdvisory(d)
		if !ok {
			continue
		}
		for _, f := range v.Attachments {
			h, err := blob.ParseHash(f.SHA256)
			if err != nil || slices.ContainsFunc(kept, func(k journal.Delivery) bool { return k.Sharer == d.Sharer && listsFile(k, f.SHA256) }) {
				continue // a hash that nobody can have, or one that is still needed
			}
			if err := s.blobs.Unref(tx, h, attachmentOwner(d.Community, d.ID, d.Sharer)); err != nil {
				return err
			}
			if _, err := tx.Exec(`DELETE FROM advisory_attachment WHERE community = ? AND object = ? AND org = ? AND hash = ?`,
				string(d.Community), d.ID, string(d.Sharer), f.SHA256); err != nil {
				return err
			}
		}
	}
	return nil
}

func listsFile(d journal.Delivery, sha256 string) bool {
	v, ok := readAdvisory(d)
	if !ok {
		return false
	}
	_, ok = v.file(sha256)
	return ok
}
