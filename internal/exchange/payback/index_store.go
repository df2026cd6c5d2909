package payback

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
)

//go:embed paybackdb/*.sql
var indexMigrations embed.FS

type indexState struct {
	lineage string
	form    int
	cursor  polder.Seq
	custody int64
}

// begin notes of which log the index is, if it is new, and reads its state.
func (x *index) begin(ctx context.Context, lineage string) (s indexState, err error) {
	err = x.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO state (id, lineage, form, cursor, custody) VALUES (1, ?, ?, 0, 0) ON CONFLICT DO NOTHING`, lineage, indexForm)
		return err
	})
	if err != nil {
		return s, err
	}
	err = x.db.Read().QueryRowContext(ctx, `SELECT lineage, form, cursor, custody FROM state`).Scan(&s.lineage, &s.form, &s.cursor, &s.custody)
	return s, err
}

// writing is what one batch comes to.
type writing struct {
	given       []givenRow
	said        []saidRow
	taken       []journal.Scanned
	gone        []polder.Seq
	custody     []journal.Custody
	next        polder.Seq
	lastCustody int64
}

// store carries out a batch and moves the cursors. One that was carried out already, in a write whose answer was not waited
// for, changes nothing.
func (x *index) store(ctx context.Context, w writing) error {
	return x.db.Write(ctx, func(tx *db.Tx) error {
		for _, g := range w.given {
			if err := g.write(tx); err != nil {
				return err
			}
		}
		for _, s := range w.said {
			if err := s.write(tx); err != nil {
				return err
			}
		}
		for _, d := range w.taken {
			if _, err := tx.Exec(`INSERT INTO taken (seq, scope, community, line, wide) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				int64(d.Seq), d.Scope, string(d.Community), d.Line, d.Nominal.Except()); err != nil {
				return err
			}
		}
		for _, seq := range w.gone {
			if _, err := tx.Exec(`DELETE FROM given WHERE seq = ?`, int64(seq)); err != nil {
				return err
			}
			if _, err := tx.Exec(`DELETE FROM said WHERE seq = ?`, int64(seq)); err != nil {
				return err
			}
		}
		for _, c := range w.custody {
			if _, err := tx.Exec(`UPDATE given SET custodian = ? WHERE community = ? AND line = ?`, string(c.Custodian), string(c.Community), c.Line); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE state SET cursor = max(cursor, ?), custody = max(custody, ?)`, int64(w.next), w.lastCustody)
		return err
	})
}

func (g givenRow) write(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO given (seq, scope, community, line, id, type, version, custodian, speaker, open, wide, revoked, until, observed, context)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		int64(g.Seq), g.Scope, string(g.Community), g.Line, g.ID, g.Type(), g.Version, string(g.Custodian), g.speaker, g.open, g.Nominal.Except(), g.Revoked, g.until, g.observed, g.context)
	return err
}

func (s saidRow) write(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO said (about, seq, scope, community, line, version, stance, count, at, speaker, open, wide) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		s.About, int64(s.Seq), s.Scope, string(s.Community), s.Line, s.Version, string(s.Stance), s.Count, int64(polder.SeqAt(s.Heard(s.Delivery))), s.speaker, s.open, s.Nominal.Except())
	return err
}

// view is what a reader may be told of: its scopes, and, where it asks for one community, that.
type view struct {
	scopes    string // as a JSON list
	community string // "" for all
}

func viewOf(j *journal.Journal, sight polder.Sight, community polder.CommunityID) (view, error) {
	list, err := json.Marshal(append([]int64{}, j.Scopes(sight)...))
	return view{string(list), string(community)}, err
}

// lineRow is an object of a contributor: its last version in sight, and when it came first.
type lineRow struct {
	exchange.Ref
	line            int64
	typ             string
	custodian, open string
	first           polder.Seq
	last            polder.Seq
	revoked         bool
	until, observed int64
	context         int
}

// byCustodian are the objects of an organisation that its reader sees.
func (x *index) byCustodian(ctx context.Context, v view, org polder.OrgID) ([]lineRow, error) {
	return x.lines(ctx, `SELECT community, id, line, type, custodian, open, min(seq), seq, revoked, until, observed, context, max(version)
		FROM given WHERE custodian = ? AND (? = '' OR community = ?) AND scope IN (SELECT value FROM json_each(?)) GROUP BY community, line`,
		string(org), v.community, v.community, v.scopes)
}

// gaveMore tells whether an organisation has more than n live deliveries, without counting them all.
func (x *index) gaveMore(ctx context.Context, org polder.OrgID, n int) (bool, error) {
	var have int
	err := x.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM given WHERE custodian = ? LIMIT ?)`, string(org), n+1).Scan(&have)
	return have > n, err
}

// byID is one object of an organisation.
func (x *index) byID(ctx context.Context, v view, org polder.OrgID, id string) ([]lineRow, error) {
	return x.lines(ctx, `SELECT community, id, line, type, custodian, open, min(seq), seq, revoked, until, observed, context, max(version)
		FROM given WHERE id = ? AND custodian = ? AND scope IN (SELECT value FROM json_each(?)) GROUP BY community, line`, id, string(org), v.scopes)
}

// saidOf is what was last said about one object.
func (x *index) saidOf(ctx context.Context, v view, r exchange.Ref) ([]statementRow, error) {
	return x.statements(ctx, `SELECT s.community, s.about, s.seq, s.stance, s.count, s.at, s.speaker, s.open, max(s.version)
		FROM said s WHERE s.about = ? AND s.community = ? AND s.scope IN (SELECT value FROM json_each(?)) GROUP BY s.community, s.line, s.about`, r.ID, string(r.Community), v.scopes)
}

// byOpen are the objects of a contributor that names itself, or of a pseudonym, that a reader sees.
func (x *index) byOpen(ctx context.Context, v view, contributor string) ([]lineRow, error) {
	return x.lines(ctx, `SELECT community, id, line, type, custodian, open, min(seq), seq, revoked, until, observed, context, max(version)
		FROM given WHERE open = ? AND open <> '' AND (? = '' OR community = ?) AND scope IN (SELECT value FROM json_each(?)) GROUP BY community, line`,
		contributor, v.community, v.community, v.scopes)
}

// wideSince are the objects that a community as a whole was given from a number on.
func (x *index) wideSince(ctx context.Context, v view, since polder.Seq) ([]lineRow, error) {
	return x.lines(ctx, `SELECT community, id, line, type, custodian, speaker, min(seq), seq, revoked, until, observed, context, max(version)
		FROM given WHERE wide = 1 AND community = ? AND seq > ? AND scope IN (SELECT value FROM json_each(?)) GROUP BY community, line`,
		v.community, int64(since), v.scopes)
}

func (x *index) lines(ctx context.Context, query string, args ...any) (out []lineRow, err error) {
	rows, err := x.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return out, each(rows, func() error {
		var r lineRow
		var version string
		err := rows.Scan(&r.Community, &r.ID, &r.line, &r.typ, &r.custodian, &r.open, &r.first, &r.last, &r.revoked, &r.until, &r.observed, &r.context, &version)
		out = append(out, r)
		return err
	})
}

// statementRow is something that was said about an object.
type statementRow struct {
	exchange.Ref
	seq           polder.Seq
	stance        exchange.Stance
	count         int
	at            polder.Seq
	speaker, open string
}

// saidOfCustodian is what was last said about the objects of an organisation, as far as its reader sees it.
func (x *index) saidOfCustodian(ctx context.Context, v view, org polder.OrgID) ([]statementRow, error) {
	return x.statements(ctx, `SELECT s.community, s.about, s.seq, s.stance, s.count, s.at, s.speaker, s.open, max(s.version)
		FROM (SELECT DISTINCT community, id FROM given WHERE custodian = ? AND (? = '' OR community = ?) AND scope IN (SELECT value FROM json_each(?))) g
		CROSS JOIN said s ON s.about = g.id AND s.community = g.community WHERE s.scope IN (SELECT value FROM json_each(?)) GROUP BY s.community, s.line, s.about`,
		string(org), v.community, v.community, v.scopes, v.scopes)
}

// saidOfOpen is the same for a contributor that is read openly.
func (x *index) saidOfOpen(ctx context.Context, v view, contributor string) ([]statementRow, error) {
	return x.statements(ctx, `SELECT s.community, s.about, s.seq, s.stance, s.count, s.at, s.speaker, s.open, max(s.version)
		FROM (SELECT DISTINCT community, id FROM given WHERE open = ? AND open <> '' AND (? = '' OR community = ?) AND scope IN (SELECT value FROM json_each(?))) g
		CROSS JOIN said s ON s.about = g.id AND s.community = g.community WHERE s.scope IN (SELECT value FROM json_each(?)) GROUP BY s.community, s.line, s.about`,
		contributor, v.community, v.community, v.scopes, v.scopes)
}

// saidSince is what was said to a community as a whole from a number on.
func (x *index) saidSince(ctx context.Context, v view, since polder.Seq) ([]statementRow, error) {
	return x.statements(ctx, `SELECT s.community, s.about, s.seq, s.stance, s.count, s.at, s.speaker, s.open, max(s.version)
		FROM said s WHERE s.wide = 1 AND s.community = ? AND s.seq > ? AND s.scope IN (SELECT value FROM json_each(?)) GROUP BY s.community, s.line, s.about`,
		v.community, int64(since), v.scopes)
}

func (x *index) statements(ctx context.Context, query string, args ...any) (out []statementRow, err error) {
	rows, err := x.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return out, each(rows, func() error {
		var r statementRow
		var version string
		err := rows.Scan(&r.Community, &r.ID, &r.seq, &r.stance, &r.count, &r.at, &r.speaker, &r.open, &version)
		out = append(out, r)
		return err
	})
}

// withdrawnSince is how many objects that a community as a whole was given were taken out since, and are not there any more.
func (x *index) withdrawnSince(ctx context.Context, v view, since polder.Seq) (n int, err error) {
	err = x.db.Read().QueryRowContext(ctx, `SELECT count(DISTINCT line) FROM taken t WHERE wide = 1 AND community = ? AND seq > ? AND scope IN (SELECT value FROM json_each(?))
		AND NOT EXISTS (SELECT 1 FROM given g WHERE g.community = t.community AND g.line = t.line AND g.scope IN (SELECT value FROM json_each(?)))`,
		v.community, int64(since), v.scopes, v.scopes).Scan(&n)
	return n, err
}

// contributors are those who are read openly in a community, by how much they gave.
func (x *index) contributors(ctx context.Context, v view, limit int) (out []string, err error) {
	rows, err := x.db.Read().QueryContext(ctx, `SELECT open, count(DISTINCT line) FROM given WHERE open <> '' AND community = ? AND scope IN (SELECT value FROM json_each(?))
		GROUP BY open ORDER BY 2 DESC, 1 LIMIT ?`, v.community, v.scopes, limit)
	if err != nil {
		return nil, err
	}
	return out, each(rows, func() error {
		var who string
		var n int
		err := rows.Scan(&who, &n)
		out = append(out, who)
		return err
	})
}

func each(rows *sql.Rows, f func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}
