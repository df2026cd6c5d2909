package exchange

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/release"
)

// readReleaseVersion is the number of an organisation's profile; 0 when it set none.
func readReleaseVersion(ctx context.Context, d *sql.DB, org polder.OrgID) (version int64, err error) {
	err = d.QueryRowContext(ctx, `SELECT version FROM release_profile WHERE org = ?`, string(org)).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// readRelease is an organisation's profile and its number; the default and 0 when it set none.
func readRelease(ctx context.Context, d *sql.DB, org polder.OrgID) (p release.Profile, version int64, err error) {
	var doc string
	err = d.QueryRowContext(ctx, `SELECT version, doc FROM release_profile WHERE org = ?`, string(org)).Scan(&version, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return release.Default(), 0, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(doc), &p)
	}
	return p, version, err
}

func writeRelease(tx *db.Tx, org polder.OrgID, p release.Profile, at time.Time) (version int64, err error) {
	doc, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(`INSERT INTO release_profile (org, version, changed, doc) VALUES (?, 1, ?, ?)
		ON CONFLICT (org) DO UPDATE SET version = version + 1, changed = excluded.changed, doc = excluded.doc RETURNING version`,
		string(org), at.UnixMicro(), string(doc)).Scan(&version)
	return version, err
}

// Override is that a person sent an object although a value in it stopped.
type Override struct {
	At     time.Time
	Person polder.PersonID
	Rules  string
	Reason string
}

func writeOverride(tx *db.Tx, c polder.CommunityID, object, version string, org polder.OrgID, o Override) error {
	_, err := tx.Exec(`INSERT INTO release_override (community, object, version, org, at, person, rules, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET at = excluded.at, person = excluded.person, rules = excluded.rules, reason = excluded.reason`,
		string(c), object, version, string(org), o.At.UnixMicro(), string(o.Person), o.Rules, o.Reason)
	return err
}

func readOverride(ctx context.Context, d *sql.DB, c polder.CommunityID, object, version string, org polder.OrgID) (o Override, ok bool, err error) {
	var at int64
	err = d.QueryRowContext(ctx, `SELECT at, person, rules, reason FROM release_override WHERE community = ? AND object = ? AND version = ? AND org = ?`,
		string(c), object, version, string(org)).Scan(&at, &o.Person, &o.Rules, &o.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	o.At = time.UnixMicro(at).UTC()
	return o, err == nil, err
}
