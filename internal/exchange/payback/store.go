package payback

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of payback in the node's database up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "payback", sub)
}

// blockKey is an object as the table of blocks names it.
type blockKey struct {
	C  string `json:"c"`
	ID string `json:"i"`
}

// notYetBlocked are those of objects that org has in no list yet.
func notYetBlocked(ctx context.Context, d *db.DB, org polder.OrgID, objects []exchange.Ref) (out []exchange.Ref, err error) {
	keys := make([]blockKey, len(objects))
	for i, o := range objects {
		keys[i] = blockKey{string(o.Community), o.ID}
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT k.value ->> '$.c', k.value ->> '$.i' FROM json_each(?) k
		WHERE NOT EXISTS (SELECT 1 FROM payback_block b WHERE b.community = k.value ->> '$.c' AND b.id = k.value ->> '$.i' AND b.org = ?)`, string(list), string(org))
	if err != nil {
		return nil, err
	}
	return out, each(rows, func() error {
		var r exchange.Ref
		err := rows.Scan(&r.Community, &r.ID)
		out = append(out, r)
		return err
	})
}

func putBlocks(tx *db.Tx, org polder.OrgID, objects []exchange.Ref, day time.Time) error {
	for _, o := range objects {
		if _, err := tx.Exec(`INSERT INTO payback_block (community, id, org, day) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, string(o.Community), o.ID, string(org), day.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// blockCount is in how many lists of others an object stands, and since when in the first.
type blockCount struct {
	exchange.Ref
	orgs  int
	first polder.Seq
}

// blockCounts are the objects of a community in lists of others than org.
func blockCounts(ctx context.Context, d *db.DB, c polder.CommunityID, org polder.OrgID) (out []blockCount, err error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT id, count(*), min(day) FROM payback_block WHERE community = ? AND org <> ? GROUP BY id`, string(c), string(org))
	if err != nil {
		return nil, err
	}
	return out, each(rows, func() error {
		b := blockCount{Ref: exchange.Ref{Community: c}}
		err := rows.Scan(&b.ID, &b.orgs, &b.first)
		out = append(out, b)
		return err
	})
}

// blockCountOf is that of one object.
func blockCountOf(ctx context.Context, d *db.DB, r exchange.Ref, org polder.OrgID) (blockCount, error) {
	b := blockCount{Ref: r}
	return b, d.Read().QueryRowContext(ctx, `SELECT count(*), ifnull(min(day), 0) FROM payback_block WHERE community = ? AND id = ? AND org <> ?`, string(r.Community), r.ID, string(org)).Scan(&b.orgs, &b.first)
}

// blockers are the others who have an object of a set in a list.
func blockers(ctx context.Context, d *db.DB, c polder.CommunityID, org polder.OrgID, ids map[string]bool) (map[string]bool, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT DISTINCT org FROM payback_block WHERE community = ? AND org <> ?`, string(c), string(org))
	if err != nil {
		return nil, err
	}
	var orgs []string
	if err := each(rows, func() error {
		var o string
		err := rows.Scan(&o)
		orgs = append(orgs, o)
		return err
	}); err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, o := range orgs {
		rows, err := d.Read().QueryContext(ctx, `SELECT id FROM payback_block WHERE org = ? AND community = ?`, o, string(c))
		if err != nil {
			return nil, err
		}
		if err := each(rows, func() error {
			var id string
			err := rows.Scan(&id)
			if ids[id] {
				out[o] = true
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// takes is how many objects of a community each organisation has in its lists since a time.
func takes(ctx context.Context, d *db.DB, c polder.CommunityID, since time.Time) (map[string]int, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT org, count(*) FROM payback_block WHERE community = ? AND day >= ? GROUP BY org`, string(c), since.UnixMicro())
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	return out, each(rows, func() error {
		var org string
		var n int
		err := rows.Scan(&org, &n)
		out[org] = n
		return err
	})
}
