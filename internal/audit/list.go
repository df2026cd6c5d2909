package audit

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"github.com/polder-exchange/polder"
)

const columns = `n, time, org, person, token, action, community, object, detail, flags, salt, hash`

func scanRow(rows interface{ Scan(...any) error }) (r row, err error) {
	err = rows.Scan(&r.n, &r.micros, &r.org, &r.person, &r.token, &r.action, &r.community, &r.object, &r.detail, &r.flags, &r.salt, &r.hash)
	return r, err
}

// List returns the entries that the viewer may read, the newest first, and each as far as he may read it.
func (l *Log) List(ctx context.Context, f Filter) ([]Record, error) {
	query, args := f.sql()
	if query == "" {
		return nil, nil
	}
	rows, err := l.d.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Record
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		rec := r.record()
		if v := ViewOf(f.Viewer, f.Communities, rec.Entry); v != Nothing { // the rule itself has the last word
			out = append(out, rec.seenBy(v))
		}
	}
	return out, rows.Err()
}

// sql is the rule of [ViewOf] as a query: one branch per reason to read, each walking an index of its own, so that a
// page costs the same however many entries others have. "" when there is no reason.
func (f Filter) sql() (string, []any) {
	var reasons []string
	var args []any
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	before := f.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	also, alsoArgs := f.narrowing()
	add := func(reason string, a ...any) {
		//house:allow sql: reason and also are literals of this file; every value is an argument
		reasons = append(reasons, `SELECT n FROM (SELECT n FROM audit WHERE `+reason+also+` AND n < ? ORDER BY n DESC LIMIT ?)`)
		args = append(append(append(args, a...), alsoArgs...), before, limit)
	}
	if f.Viewer.Role == polder.RoleNone {
		return "", nil
	}
	if f.Viewer.Org != "" {
		add(`org = ?`, string(f.Viewer.Org))
	}
	if f.Viewer.Role == polder.RoleAdmin {
		add(`(community = '' OR object = '') AND flags & 2 = 0`)
	}
	if many := len(f.Communities) > 50; many {
		list, _ := json.Marshal(f.Communities) // strings always marshal
		add(`community <> '' AND community IN (SELECT value FROM json_each(?)) AND flags & 2 = 0`, string(list))
	} else {
		for _, c := range f.Communities {
			add(`community <> '' AND community = ? AND flags & 2 = 0`, string(c))
		}
	}
	if reasons == nil {
		return "", nil
	}
	args = append(args, limit)
	return `SELECT ` + columns + ` FROM audit WHERE n IN (` + strings.Join(reasons, ` UNION `) + `) ORDER BY n DESC LIMIT ?`, args
}

// narrowing is what the filter asks beside the rule.
func (f Filter) narrowing() (also string, args []any) {
	if f.Viewer.Role.OnObjects() == polder.RoleNone {
		also += ` AND (community = '' OR object = '')`
	}
	if prefix, ok := strings.CutSuffix(f.Action, "."); ok && prefix != "" {
		also += ` AND action >= ? AND action < ?`
		args = append(args, prefix+".", prefix+"/") // "/" follows "."
	} else if f.Action != "" {
		also += ` AND action = ?`
		args = append(args, f.Action)
	}
	if f.Object != "" {
		also += ` AND object <> '' AND object = ?`
		args = append(args, f.Object)
	}
	return also, args
}
