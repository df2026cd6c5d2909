package journal

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
)

// merge yields the numbers that a reader may see in rising order, from one index range per scope (and type); in falling
// order when the newest are asked for first. It reads each range in chunks, as the reader gets there.
func (j *Journal) merge(sight polder.Sight, q Query) *merge {
	m := &merge{db: j.db.Read(), after: q.After, top: q.end(j.live.top()), down: q.Newest}
	types := slices.Compact(slices.Sorted(slices.Values(q.Types)))
	for _, scope := range j.scopes.seenBy(sight, q.After) {
		if len(types) == 0 || !q.onlyLast() {
			m.ranges = append(m.ranges, &span{scope: scope, more: true})
			continue
		}
		for _, t := range types {
			m.ranges = append(m.ranges, &span{scope: scope, typ: t, more: true})
		}
	}
	m.statement(q.onlyLast(), types)
	return m
}

type merge struct {
	db     *sql.DB
	after  polder.Seq
	top    polder.Seq
	down   bool
	query  string
	types  []string
	ranges []*span
}

// span is one index range: what was read of it and not yet yielded. Where the merge goes down, numbers stand here with
// their sign turned, so that the next one is always the least.
type span struct {
	scope int64
	typ   string
	begun bool
	last  int64 // the last number read
	ahead []int64
	more  bool
}

func (m *merge) statement(last bool, types []string) {
	switch {
	case last && len(types) > 0:
		m.query = `SELECT seq FROM delivery INDEXED BY delivery_last WHERE last = ? AND last <> 0 AND seq > ? AND seq <= ? AND type = ? ORDER BY seq LIMIT ?`
	case last:
		m.query = `SELECT seq FROM delivery INDEXED BY delivery_last_seq WHERE last = ? AND last <> 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`
	case len(types) > 0:
		m.types = types
		m.query = `SELECT seq FROM delivery INDEXED BY delivery_reached WHERE reached = ? AND withdrawn = 0 AND seq > ? AND seq <= ? AND type IN (` + marks(len(types)) + `) ORDER BY seq LIMIT ?`
	default:
		m.query = `SELECT seq FROM delivery INDEXED BY delivery_reached WHERE reached = ? AND withdrawn = 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`
	}
	if m.down {
		m.query = strings.Replace(m.query, "ORDER BY seq", "ORDER BY seq DESC", 1)
	}
}

func marks(n int) string {
	b := make([]byte, 0, 2*n)
	for range n {
		b = append(b, '?', ',')
	}
	return string(b[:len(b)-1])
}

// next yields up to n further numbers; none at the end.
func (m *merge) next(ctx context.Context, n int) (out []int64, err error) {
	chunk := n
	if len(m.ranges) > 1 {
		chunk = max(16, 2*n/len(m.ranges))
	}
	for len(out) < n {
		var least *span
		for _, s := range m.ranges {
			if len(s.ahead) == 0 && s.more {
				if err := m.fill(ctx, s, chunk); err != nil {
					return nil, err
				}
			}
			if len(s.ahead) > 0 && (least == nil || s.ahead[0] < least.ahead[0]) {
				least = s
			}
		}
		if least == nil {
			return out, nil
		}
		for _, seq := range m.take(least, n-len(out)) {
			out = append(out, m.turned(seq))
		}
	}
	return out, nil
}

// take yields the run of s that comes before every other range's next number.
func (m *merge) take(s *span, n int) []int64 {
	limit := int64(1) << 62
	for _, o := range m.ranges {
		if o != s && len(o.ahead) > 0 {
			limit = min(limit, o.ahead[0])
		}
	}
	i, _ := slices.BinarySearch(s.ahead, limit)
	i = min(max(i, 1), n)
	run := s.ahead[:i]
	s.ahead = s.ahead[i:]
	return run
}

// turned gives a number the sign under which a span holds it, and back.
func (m *merge) turned(seq int64) int64 {
	if m.down {
		return -seq
	}
	return seq
}

// rest bounds what is still to be read of s: above the first, up to the second.
func (m *merge) rest(s *span) (after, top int64) {
	after, top = int64(m.after), int64(m.top)
	switch {
	case !s.begun:
	case m.down:
		top = s.last - 1
	default:
		after = s.last
	}
	return after, top
}

func (m *merge) fill(ctx context.Context, s *span, n int) error {
	after, top := m.rest(s)
	args := []any{s.scope, after, top}
	for _, t := range m.types {
		args = append(args, t)
	}
	if s.typ != "" {
		args = append(args, s.typ)
	}
	rows, err := m.db.QueryContext(ctx, m.query, append(args, n)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return err
		}
		s.ahead = append(s.ahead, m.turned(seq))
		s.begun, s.last = true, seq
	}
	s.more = len(s.ahead) == n
	return rows.Err()
}
