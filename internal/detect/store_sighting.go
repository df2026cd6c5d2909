package detect

import (
	"context"
	"database/sql"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

func sightingRules(ctx context.Context, d *sql.DB, org polder.OrgID) (out []SightingRule, err error) {
	rows, err := d.QueryContext(ctx, `SELECT community, confidence, actor, made FROM sighting_rule WHERE org = ? ORDER BY community`, string(org))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r SightingRule
		var made int64
		if err := rows.Scan(&r.Community, &r.Confidence, &r.By, &made); err != nil {
			return nil, err
		}
		r.Made = fromMicro(made)
		out = append(out, r)
	}
	return out, rows.Err()
}

func putSightingRule(tx *db.Tx, org polder.OrgID, r SightingRule) error {
	_, err := tx.Exec(`INSERT INTO sighting_rule (org, community, confidence, actor, made) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (org, community) DO UPDATE SET confidence = excluded.confidence, actor = excluded.actor, made = excluded.made`,
		string(org), r.Community, r.Confidence, r.By, micro(r.Made))
	return err
}

func dropSightingRule(tx *db.Tx, org polder.OrgID, community string) error {
	_, err := tx.Exec(`DELETE FROM sighting_rule WHERE org = ? AND community = ?`, string(org), community)
	return err
}
