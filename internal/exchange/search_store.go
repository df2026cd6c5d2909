package exchange

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

//go:embed searchdb/*.sql
var searchMigrations embed.FS

type indexState struct {
	lineage string
	form    int
	cursor  polder.Seq
}

// begin notes of which log the index is, if it is new, and reads its state.
func (x *Index) begin(ctx context.Context, lineage string) (s indexState, err error) {
	err = x.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO state (id, lineage, form, cursor) VALUES (1, ?, ?, 0) ON CONFLICT DO NOTHING`, lineage, indexForm)
		return err
	})
	if err != nil {
		return s, err
	}
	err = x.db.Read().QueryRowContext(ctx, `SELECT lineage, form, cursor FROM state`).Scan(&s.lineage, &s.form, &s.cursor)
	return s, err
}

// step is one thing to do: an entry to add, or deliveries that are gone.
type step struct {
	entry entry
	gone  []polder.Seq
}

// store carries out the steps in order and moves the cursor. Steps that were carried out already, in a write whose answer
// was not waited for, are not carried out twice.
func (x *Index) store(ctx context.Context, steps []step, next polder.Seq) error {
	return x.db.Write(ctx, func(tx *db.Tx) error {
		var at polder.Seq
		if err := tx.QueryRow(`SELECT cursor FROM state`).Scan(&at); err != nil || at >= next {
			return err
		}
		for _, s := range steps {
			for _, seq := range s.gone {
				if err := forgetDoc(tx, seq); err != nil {
					return err
				}
			}
			if s.entry.seq != 0 {
				if err := s.entry.write(tx); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(`UPDATE state SET cursor = ?`, int64(next))
		return err
	})
}

func forgetDoc(tx *db.Tx, seq polder.Seq) error {
	res, err := tx.Exec(`DELETE FROM doc WHERE seq = ?`, int64(seq))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM posting WHERE seq = ?`, int64(seq)); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM words WHERE rowid = ?`, int64(seq))
	return err
}

func (e entry) write(tx *db.Tx) error {
	if _, err := tx.Exec(`INSERT INTO doc (seq, scope, id, type, sharer, level) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(e.seq), e.scope, e.id, e.typ, string(e.sharer), int(e.level)); err != nil {
		return err
	}
	for _, k := range e.keys {
		if _, err := tx.Exec(`INSERT INTO posting (scope, key, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, e.scope, k, int64(e.seq)); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`INSERT INTO words (rowid, name, body) VALUES (?, ?, ?)`, int64(e.seq), scoped(e.scope, e.name), scoped(e.scope, e.body))
	return err
}

// hit is a candidate.
type hit struct {
	seq polder.Seq
	id  string
}

// where bounds a search to what its reader may be told of, and to the types that it asks for.
type where struct {
	scopes []int64
	types  []string
}

func (w where) lists() (scopes, types string, err error) {
	a, errA := json.Marshal(append([]int64{}, w.scopes...))
	b, errB := json.Marshal(append([]string{}, w.types...))
	if errA != nil {
		return "", "", errA
	}
	return string(a), string(b), errB
}

// named are the deliveries that have one of these keys, the newest first.
func (x *Index) named(ctx context.Context, w where, keys []string, offset, n int) ([]hit, error) {
	scopes, types, err := w.lists()
	if err != nil {
		return nil, err
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	return x.hits(ctx, `SELECT DISTINCT p.seq, d.id FROM json_each(?) s CROSS JOIN json_each(?) k CROSS JOIN posting p ON p.scope = s.value AND p.key = k.value
		CROSS JOIN doc d ON d.seq = p.seq WHERE (? = '[]' OR d.type IN (SELECT value FROM json_each(?))) ORDER BY p.seq DESC LIMIT ? OFFSET ?`, scopes, string(list), types, types, n, offset)
}

// keySpan is a range of keys: from on, and before to.
type keySpan struct{ From, To string }

// between are the deliveries that have a key in one of these ranges, the newest first.
func (x *Index) between(ctx context.Context, w where, spans []keySpan, offset, n int) ([]hit, error) {
	scopes, types, err := w.lists()
	if err != nil {
		return nil, err
	}
	list, err := json.Marshal(spans)
	if err != nil {
		return nil, err
	}
	return x.hits(ctx, `SELECT DISTINCT p.seq, d.id FROM json_each(?) s CROSS JOIN json_each(?) k CROSS JOIN posting p ON p.scope = s.value AND p.key >= k.value ->> '$.From' AND p.key < k.value ->> '$.To'
		CROSS JOIN doc d ON d.seq = p.seq WHERE (? = '[]' OR d.type IN (SELECT value FROM json_each(?))) ORDER BY p.seq DESC LIMIT ? OFFSET ?`, scopes, string(list), types, types, n, offset)
}

// scopesAtOnce bounds one expression of the word search.
const scopesAtOnce = 200

// worded are the deliveries that have all these words, the best first and of equals the newest.
func (x *Index) worded(ctx context.Context, w where, terms []term, offset, n int) ([]hit, error) {
	type ranked struct {
		hit
		rank float64
	}
	var all []ranked
	for some := range slices.Chunk(w.scopes, scopesAtOnce) {
		_, types, err := w.lists()
		if err != nil {
			return nil, err
		}
		rows, err := x.db.Read().QueryContext(ctx, `SELECT words.rowid, d.id, words.rank FROM words CROSS JOIN doc d ON d.seq = words.rowid
			WHERE words MATCH ? AND (? = '[]' OR d.type IN (SELECT value FROM json_each(?))) ORDER BY words.rank, words.rowid DESC LIMIT ?`, expression(some, terms), types, types, offset+n)
		if err != nil {
			return nil, err
		}
		err = eachRow(rows, func() error {
			var r ranked
			if err := rows.Scan(&r.seq, &r.id, &r.rank); err != nil {
				return err
			}
			all = append(all, r)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		switch {
		case a.rank != b.rank && a.rank < b.rank:
			return -1
		case a.rank != b.rank:
			return 1
		}
		return int(b.seq - a.seq)
	})
	var out []hit
	for _, r := range all[min(offset, len(all)):min(offset+n, len(all))] {
		out = append(out, r.hit)
	}
	return out, nil
}

// expression asks for all terms in any one of the scopes. Terms are letters and digits only, so they need no escaping.
func expression(scopes []int64, terms []term) string {
	var b strings.Builder
	for i, s := range scopes {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteByte('(')
		for j, t := range terms {
			if j > 0 {
				b.WriteString(" AND ")
			}
			b.WriteString(`"` + scoped(s, t.word) + `"`)
			if t.prefix {
				b.WriteByte('*')
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

// mine says at which levels an organisation's own objects have these keys: for each key the objects and their widest.
func (x *Index) mine(ctx context.Context, scopes []int64, org polder.OrgID, keys []string) (map[string][]ownValue, error) {
	list, _, err := where{scopes: scopes}.lists()
	if err != nil {
		return nil, err
	}
	wanted, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows, err := x.db.Read().QueryContext(ctx, `SELECT p.key, d.id, min(d.level) FROM json_each(?) s CROSS JOIN json_each(?) k CROSS JOIN posting p ON p.scope = s.value AND p.key = k.value
		CROSS JOIN doc d ON d.seq = p.seq WHERE d.sharer = ? AND d.level > 0 GROUP BY p.key, d.id LIMIT 50000`, list, string(wanted), string(org))
	if err != nil {
		return nil, err
	}
	out := map[string][]ownValue{}
	err = eachRow(rows, func() error {
		var key string
		var v ownValue
		var level int
		if err := rows.Scan(&key, &v.id, &level); err != nil {
			return err
		}
		v.level = stix.Marking(level)
		out[key] = append(out[key], v)
		return nil
	})
	return out, err
}

func (x *Index) hits(ctx context.Context, query string, args ...any) (out []hit, err error) {
	rows, err := x.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		var h hit
		if err := rows.Scan(&h.seq, &h.id); err != nil {
			return err
		}
		out = append(out, h)
		return nil
	})
	return out, err
}

func eachRow(rows *sql.Rows, f func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}
